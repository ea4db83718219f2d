"""Celery asks a broker that is away again soon, however long it has been away."""

import pytest

from happening.celery import app
from happening.patient_celery import PAUSE

NOBODY = 1  # a port where nobody listens


class EnoughSeen(Exception):
    pass


def test_pauses_do_not_grow(monkeypatch):
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)
    pauses = []

    def on_error(_error, pause):
        pauses.append(pause)
        if len(pauses) == 30:
            raise EnoughSeen

    with pytest.raises(EnoughSeen), app.connection(f"amqp://guest@127.0.0.1:{NOBODY}//") as connection:
        connection.ensure_connection(on_error, app.conf.broker_connection_max_retries)
    assert set(pauses) == {PAUSE}
