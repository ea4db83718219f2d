import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.models import Notification
from notifications.redrive import redrive


@pytest.fixture
def given_up(owe, now):
    def giving_up(kind="booking_confirmed", *, hours_ago=1):
        row = owe(kind)
        Notification.objects.filter(pk=row.pk).update(
            status="failed",
            failed_at=now - timedelta(hours=hours_ago),
            attempts=10,
            last_error="Tried 10 times.",
        )
        return row

    return giving_up


def pending() -> set:
    return set(Notification.objects.filter(status="pending").values_list("pk", flat=True))


@pytest.mark.django_db
class TestRedriveNotifications:
    def test_begins_anew_with_what_has_failed(self, given_up, straight, capsys):
        row = given_up()
        call_command("redrive_notifications")
        row.refresh_from_db()
        assert (row.status, row.attempts, row.failed_at) == ("pending", 0, None)
        assert row.due_at <= timezone.now()
        assert capsys.readouterr().out == (
            "Will try again 1 notifications (1 booking_confirmed); 0 dead letters.\n"
        )

    def test_takes_only_the_types_and_the_age_that_were_asked_for(self, given_up, straight):
        old, young = given_up(hours_ago=5), given_up(hours_ago=1)
        other = given_up("event_reminder", hours_ago=5)
        call_command("redrive_notifications", "--type", "booking_confirmed", "--older-than", "3")
        assert pending() == {old.pk}
        call_command("redrive_notifications")
        assert pending() == {old.pk, young.pk, other.pk}

    def test_leaves_what_has_failed_anew_meanwhile(self, given_up, straight, now):
        old, young = given_up(), given_up(hours_ago=0)
        assert redrive(types=[], before=None, now=now) == {"booking_confirmed": 1}
        assert pending() == {old.pk}
        assert Notification.objects.get(pk=young.pk).status == "failed"

    def test_changes_nothing_when_it_is_only_asked(self, given_up, straight, capsys):
        given_up()
        call_command("redrive_notifications", "--dry-run", "--json")
        assert pending() == set()
        assert json.loads(capsys.readouterr().out) == {
            "dry_run": True,
            "failed": {"booking_confirmed": 1},
            "dead_letters": 0,
        }

    def test_empties_the_dead_letters(self, given_up, rabbit, capsys):
        row = given_up()
        with rabbit.publisher():
            channel = rabbit.channel()
            for body in (str(row.pk), "no id"):
                channel.basic_publish("", rabbit.topology.dead, body.encode())
        call_command("redrive_notifications", "--type", "event_reminder")
        assert pending() == {row.pk}
        assert "2 dead letters" in capsys.readouterr().out
        assert channel.queue_declare(rabbit.topology.dead, passive=True).method.message_count == 0

    def test_says_so_when_the_broker_is_away(self, given_up, settings):
        settings.AMQP_URL = "amqp://127.0.0.1:1//"
        row = given_up()
        with pytest.raises(CommandError, match="dead letters could not be looked at"):
            call_command("redrive_notifications")
        assert pending() == {row.pk}
