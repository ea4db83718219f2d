"""People, for platform staff: accounts belong to no organization."""

from typing import ClassVar

from django import forms
from django.contrib import admin

from orgs import standing_news
from orgs.admin_site import PLATFORM_ALONE, TenantModelAdmin
from orgs.models import User
from orgs.names import validate_visible
from orgs.profile import ProfileForm

OFFERED = [choice for choice in User.Status.choices if choice[0] != User.Status.ERASED]


class PersonForm(forms.ModelForm):
    phone = ProfileForm.base_fields["phone"]
    clean_phone = ProfileForm.clean_phone

    def clean_name(self):
        validate_visible(self.cleaned_data["name"])
        return self.cleaned_data["name"]


@admin.register(User)
class UserAdmin(TenantModelAdmin):
    """People make and change their own accounts; staff see them, suspend them, and make colleagues.

    Erasing is more than a word here (`erase_person`), and cannot be taken back; nor does anybody shut
    themselves out.
    """

    form = PersonForm
    organization_path = PLATFORM_ALONE
    rights: ClassVar = {"view": PLATFORM_ALONE, "change": PLATFORM_ALONE}
    list_display = ["email", "name", "status", "is_platform_staff", "last_login"]
    list_filter = ["status", "is_platform_staff"]
    search_fields = ["email", "name"]
    fields = [
        "email",
        "name",
        "phone",
        "status",
        "is_platform_staff",
        "keycloak_id",
        "last_login",
        "created_at",
    ]
    readonly_fields = ["email", "keycloak_id", "last_login", "created_at"]

    def formfield_for_choice_field(self, db_field, request, **kwargs):
        if db_field.name == "status":
            kwargs["choices"] = OFFERED
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        own = ["status", "is_platform_staff"] if obj and obj.pk == request.user.pk else []
        return [*self.readonly_fields, *own]

    def has_change_permission(self, request, obj=None):
        is_erased = obj is not None and obj.status == User.Status.ERASED
        return super().has_change_permission(request, obj) and not is_erased

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        standing_news.changed(obj.pk)
