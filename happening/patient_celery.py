"""Celery that asks a broker which is away again every two seconds.

By itself it waits two seconds longer each time, up to thirty: after a long outage people would be told that
late.
"""

from celery.app.amqp import AMQP
from kombu import Connection

PAUSE = 2  # seconds


class PatientConnection(Connection):
    def ensure_connection(self, *args, **more):
        pauses = {"interval_start": PAUSE, "interval_step": 0, "interval_max": PAUSE}
        return super().ensure_connection(*args, **pauses | more)


class PatientAMQP(AMQP):
    Connection = BrokerConnection = PatientConnection
