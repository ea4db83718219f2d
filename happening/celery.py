"""Celery: the work in the background, and the timetable of all that happens by the clock.

What is owed stands in tables; a task only says "look there now", so a lost task costs time and a task run
twice does no harm, nor do two beats. A worker that dies hands its task back (acks_late).

On a broker that is shared with other instances (HAPPENING_INSTANCE) every name carries the instance's own,
and queues go when nobody uses them any more. A broker of our own has a quorum queue: RabbitMQ 4.3 refuses
the global prefetch that Celery asks for with others.
"""

import os
from dataclasses import dataclass

from celery import Celery
from celery.signals import beat_init, setup_logging, task_prerun, worker_init
from django.db import close_old_connections
from kombu import Exchange, Queue

from orgs import counting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")

INSTANCE = os.environ.get("HAPPENING_INSTANCE", "")
NAME = f"{INSTANCE}.happening" if INSTANCE else "happening"
IDLE_DAYS = 7  # after which a queue of an instance is removed
TASKS_OF_A_CONNECTION = 1_000  # one to PostgreSQL for each would cost more than most tasks
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass(frozen=True)
class Job:
    """A line of the timetable; times in seconds.

    Args:
        every: how often beat asks for it.
        rests: for how long it has nothing to do once it was done, whoever asks. Longer than `every` where
            beat, which forgets when it is started anew, would else never come to ask.
        alone: whether a second run at the same time does nothing. Not where several are quicker than one.
    """

    task: str
    every: float
    rests: float = 0.0
    alone: bool = True

    @property
    def late_after(self) -> float:
        """Without a run that ended well."""
        return 3 * max(self.every, self.rests) + MINUTE

    @property
    def entry(self) -> dict:
        """For beat. What no worker took by the turn after the next is asked for again anyway."""
        return {
            "task": self.task,
            "schedule": self.every,
            "options": {"expires": max(2 * self.every, 10.0)},
        }


TIMETABLE = {
    "drain_outbox": Job("notifications.drain_outbox", every=3, alone=False),
    "run_event_jobs": Job("happening.run_event_jobs", every=5),
    "send_account_mail": Job("happening.send_account_mail", every=10),
    "reconcile_outbox": Job("notifications.reconcile_outbox", every=15),
    "reconcile_slots": Job("happening.reconcile_slots", every=20),
    "advance_events": Job("happening.advance_events", every=MINUTE),
    "close_waitlists": Job("happening.close_waitlists", every=MINUTE),
    "send_reminders": Job("happening.send_reminders", every=MINUTE),
    "clear_sign_in": Job("happening.clear_sign_in", every=HOUR),
    "expire_invites": Job("happening.expire_invites", every=HOUR),
    "tidy_account_mail": Job("happening.tidy_account_mail", every=HOUR),
    "forget_notifications": Job("notifications.forget_notifications", every=HOUR, rests=DAY),
    "archive_history": Job("happening.archive_history", every=HOUR, rests=DAY),
}


def queue() -> Queue:
    exchange = Exchange(NAME, type="topic", durable=True)
    if INSTANCE:
        return Queue(NAME, exchange, routing_key=NAME, expires=IDLE_DAYS * 86_400)
    return Queue(NAME, exchange, routing_key=NAME, queue_arguments={"x-queue-type": "quorum"})


@setup_logging.connect
def _leave_the_log_as_the_settings_have_it(**_):
    """Celery would turn everything below warnings off, the mails' links with it."""


@worker_init.connect
def _count_as_a_worker(**_):
    counting.begin("worker")


@beat_init.connect
def _count_as_beat(**_):
    counting.begin("beat")


@task_prerun.connect
def _close_connections_that_have_ended(sender, **_):
    """Celery keeps them from task to task, whatever becomes of them."""
    if not sender.request.is_eager:
        close_old_connections()


app = Celery(
    "happening",
    task_cls="happening.recorded_task:RecordedTask",
    amqp="happening.patient_celery:PatientAMQP",
)
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
    CELERY_DB_REUSE_MAX=TASKS_OF_A_CONNECTION,
    broker_connection_max_retries=None,  # for ever
    timezone="UTC",
    beat_schedule={name: job.entry for name, job in TIMETABLE.items()},
)
app.autodiscover_tasks()
