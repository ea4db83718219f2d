"""What this app adds to the admin: a panel on its first page."""

from django.contrib.admin import site

from happening.dashboard.panel import dashboard

site.add_panel(dashboard)
