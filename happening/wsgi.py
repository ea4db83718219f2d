"""The WSGI application: pages and admin. It does not start without the guards of `bookings.guards`, nor with
fewer database connections than threads, nor with a template that cannot be read."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
application = get_wsgi_application()

from bookings.guards import ensure_guards  # noqa: E402 - models can be imported only now
from happening.checks import ensure_connections  # noqa: E402
from happening.warming import warm_up  # noqa: E402
from orgs import counting  # noqa: E402

counting.begin("web")
ensure_connections()
ensure_guards()
warm_up()

# What is loaded stays, so the collector need not look through it again; and among the requests of thirty
# threads it would look often, and find little.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 100)
