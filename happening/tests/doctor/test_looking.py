"""Looking: each within its time, none in the way of the next, and nothing changed."""

import time

import pytest
from django.db import connection

from happening.doctor import State
from happening.doctor.finding import Finding
from happening.doctor.look import POSTGRESQL, Look, NotThere, examine
from orgs.models import Organization


def fine():
    yield Finding("Fine", "all is well")


class TestExamine:
    def test_goes_on_after_a_look_that_fails(self):
        def fails():
            yield Finding("Half", "seen")
            raise OSError("no more\nsecond line")

        half, rest, after = examine([Look("Broken", fails), Look("Fine", fine)])
        assert (half.says, after.says) == ("seen", "all is well")
        assert (rest.state, rest.says) == (State.UNKNOWN, "could not be looked at: no more")

    def test_leaves_behind_what_takes_too_long(self):
        def hangs():
            yield Finding("Slow", "begun")
            time.sleep(30)

        begun = time.monotonic()
        first, late, after = examine([Look("Slow", hangs, seconds=0.2), Look("Fine", fine)])
        assert time.monotonic() - begun < 5
        assert (first.says, after.says) == ("begun", "all is well")
        assert (late.state, late.says) == (State.UNKNOWN, "no answer within 0.2 s")

    def test_does_not_try_what_needs_what_is_missing(self):
        def away():
            raise NotThere("it is off", "Turn it on.", because="it is off")
            yield

        def asked():
            raise AssertionError("asked all the same")

        found = list(examine([Look("Server", away), Look("Tables", asked, needs=("Server",))]))
        assert [(one.what, one.state, one.says) for one in found] == [
            ("Server", State.WRONG, "it is off"),
            ("Tables", State.UNKNOWN, "not looked at, since it is off"),
        ]

    @pytest.mark.django_db(transaction=True)
    def test_can_change_nothing(self):
        def changes():
            Organization.objects.create(name="Sneaky", domain="sneaky.example.org")
            yield Finding("Changed", "it went through")

        [finding] = examine([Look("Changes", changes, needs=(POSTGRESQL,))])
        assert "read-only transaction" in finding.says
        assert not Organization.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_ends_the_statement_as_well_when_time_is_up(self):
        def slow():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(30)")
            yield Finding("Slow", "done")

        look = Look("Slow", slow, needs=(POSTGRESQL,), seconds=0.5)
        [finding] = examine([look])
        assert finding.state == State.UNKNOWN
        asked = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%%pg_sleep(30)%%'"
        )
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            with connection.cursor() as cursor:
                cursor.execute(asked + " AND pid <> pg_backend_pid()")
                if cursor.fetchone() == (0,):
                    return
            time.sleep(0.1)
        pytest.fail("the statement still runs")
