"""What this app adds to the admin: panels on its first page, and the page of the platform's staff."""

from django.contrib.admin import site

from happening.dashboard.panel import dashboard
from happening.staff import page

site.add_panel(page.panel)
site.add_panel(dashboard)
site.add_page("upkeep/", page.upkeep, name="upkeep")
