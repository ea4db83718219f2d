"""Celery: the work in the background, and the timetable of all that happens by the clock.

What is owed stands in tables; a task only says "look there now", so a lost task costs time and a task run
twice does no harm. A worker that dies hands its task back (acks_late).

On a broker that is shared with other instances (HAPPENING_INSTANCE) every name carries the instance's own,
and queues go when nobody uses them any more. A broker of our own has a quorum queue: RabbitMQ 4.3 refuses
the global prefetch that Celery asks for with others.
"""

import os

from celery import Celery
from celery.signals import setup_logging
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")

INSTANCE = os.environ.get("HAPPENING_INSTANCE", "")
NAME = f"{INSTANCE}.happening" if INSTANCE else "happening"
IDLE_DAYS = 7  # after which a queue of an instance is removed


def queue() -> Queue:
    exchange = Exchange(NAME, type="topic", durable=True)
    if INSTANCE:
        return Queue(NAME, exchange, routing_key=NAME, expires=IDLE_DAYS * 86_400)
    return Queue(NAME, exchange, routing_key=NAME, queue_arguments={"x-queue-type": "quorum"})


@setup_logging.connect
def _leave_the_log_as_the_settings_have_it(**_):
    """Celery would turn everything below warnings off, the mails' links with it."""


app = Celery("happening", task_cls="happening.recorded_task:RecordedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_queues=[queue()],
    task_default_queue=NAME,
    task_default_exchange=NAME,
    task_default_exchange_type="topic",
    task_default_routing_key=NAME,
    control_exchange=f"{NAME}.control",
    event_exchange=f"{NAME}.events",
    event_queue_prefix=f"{NAME}.events",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    beat_schedule={
        "drain_outbox": {
            "task": "notifications.drain_outbox",
            "schedule": 3.0,
            "options": {"expires": 10},
        },
        "reconcile_outbox": {
            "task": "notifications.reconcile_outbox",
            "schedule": 15.0,
            "options": {"expires": 30},
        },
        "run_event_jobs": {"task": "happening.run_event_jobs", "schedule": 5.0},
        "send_reminders": {"task": "happening.send_reminders", "schedule": 60.0},
        "send_account_mail": {"task": "happening.send_account_mail", "schedule": 10.0},
        "tidy_account_mail": {"task": "happening.tidy_account_mail", "schedule": 3600.0},
        "expire_invites": {"task": "happening.expire_invites", "schedule": 3600.0},
        "forget_notifications": {"task": "notifications.forget_notifications", "schedule": 86_400.0},
        "clear_sign_in": {"task": "happening.clear_sign_in", "schedule": 3600.0},
        "advance_events": {"task": "happening.advance_events", "schedule": 60.0},
        "reconcile_slots": {"task": "happening.reconcile_slots", "schedule": 20.0},
        "close_waitlists": {"task": "happening.close_waitlists", "schedule": 60.0},
    },
)
app.autodiscover_tasks()
