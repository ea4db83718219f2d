"""The provider's application, ending with the process that started it."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from happening.embedded.child import die_with_parent

die_with_parent(signal.SIGTERM)
os.environ["DJANGO_SETTINGS_MODULE"] = "happening.demo.identity.settings"
application = get_wsgi_application()
