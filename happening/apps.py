from django.apps import AppConfig
from django.contrib.admin import apps as admin


class HappeningConfig(AppConfig):
    name = "happening"
    default = True

    def ready(self):
        from happening import checks  # noqa: F401 - registers them


class PlatformAdminConfig(admin.AdminConfig):
    default_site = "orgs.admin_site.PlatformAdminSite"
    default = False

    def ready(self):
        """Find what the apps register, and leave out what this project has no use for."""
        super().ready()
        from allauth.mfa.models import Authenticator
        from allauth.usersessions.models import UserSession
        from django.contrib.admin import site
        from django.contrib.auth.models import Group

        site.unregister(Group)  # what people may do stands in their memberships
        site.unregister([Authenticator, UserSession])  # nobody's but the person's own
