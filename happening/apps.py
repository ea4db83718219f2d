from django.apps import AppConfig


class HappeningConfig(AppConfig):
    name = "happening"
