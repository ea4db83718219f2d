from importlib import import_module

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.admin.apps import SimpleAdminConfig
from django.utils.module_loading import module_has_submodule

from happening.celery import app as celery_app  # noqa: F401 - whose tasks are those of all apps


class HappeningConfig(AppConfig):
    name = "happening"
    default = True

    def ready(self):
        from happening import checks  # noqa: F401 - registers them


class TenantAdminConfig(SimpleAdminConfig):
    """The one admin site holds what our own apps register. What libraries would register has no walls."""

    default_site = "orgs.admin_site.TenantAdminSite"
    default = False
    ours = ("orgs", "notifications", "events", "bookings", "happening")

    def ready(self):
        super().ready()
        for name in self.ours:
            if module_has_submodule(installed.get_app_config(name).module, "admin"):
                import_module(f"{name}.admin")
