"""Celery: the work in the background, and the timetable of all that happens by the clock.

Task names and the queue carry the project's name, so that a broker shared with others is no trouble.
A worker that dies hands its task back (acks_late), so every task can be run twice without harm.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")

app = Celery("happening")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_default_queue="happening",
    task_default_exchange="happening",
    task_default_routing_key="happening",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    beat_schedule={
        "run_event_jobs": {"task": "happening.run_event_jobs", "schedule": 5.0},
        "advance_events": {"task": "happening.advance_events", "schedule": 60.0},
        "close_waitlists": {"task": "happening.close_waitlists", "schedule": 60.0},
    },
)
app.autodiscover_tasks()
