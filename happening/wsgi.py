"""The WSGI application: pages and admin."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
application = get_wsgi_application()
