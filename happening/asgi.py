"""The live process: `/live/`, served by ASGI because a stream would hold a thread of WSGI for minutes."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
# Its questions are few and large: a plan made for an empty table would read all of it for each person.
os.environ.setdefault("PREPARE_AFTER", "0")
django.setup(set_prefix=False)

from notifications.live.server import LiveServer  # noqa: E402 - settings come first
from orgs import counting  # noqa: E402

counting.begin("live")
application = LiveServer()
