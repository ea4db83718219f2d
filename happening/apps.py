from django.apps import AppConfig
from django.contrib.admin import apps as admin


class HappeningConfig(AppConfig):
    name = "happening"
    default = True


class PlatformAdminConfig(admin.AdminConfig):
    default_site = "orgs.admin_site.PlatformAdminSite"
    default = False
