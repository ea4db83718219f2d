from django.apps import AppConfig
from django.contrib.admin import apps as admin


class HappeningConfig(AppConfig):
    name = "happening"
    default = True


class PlatformAdminConfig(admin.AdminConfig):
    default_site = "orgs.admin_site.PlatformAdminSite"
    default = False

    def ready(self):
        """Find what the apps register, and leave out what this project has no use for."""
        super().ready()
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        site.unregister(Group)  # what people may do stands in their memberships
