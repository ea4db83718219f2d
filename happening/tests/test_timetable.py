"""The timetable: what stands on it, that nobody runs a job beside another, and what it does by hand."""

import json
import threading
from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command, get_commands
from django.db import connection
from django.utils import timezone

from bookings import archive_job, services
from bookings.models import Booking, BookingHistory
from bookings.tasks import archive_history
from events.models import Event
from events.tasks import advance_events
from happening import postgres_programs
from happening.celery import TIMETABLE, app
from notifications.models import Notification
from orgs import account_mail, by_hand
from orgs.models import AccountMail, Invite, JobRun, SpentToken
from orgs.only_run import key, only_run
from orgs.tasks import send_account_mail
from tests.factories import EventFactory, MembershipFactory, UserFactory

UPKEEP = (
    *("advance_events", "send_reminders", "expire_invites", "archive_history"),
    *("forget_notifications", "close_waitlists", "reconcile_slots", "run_event_jobs"),
    *("send_account_mail", "tidy_account_mail", "clear_sign_in"),
)


def by_hand_says(command: str, *options) -> dict:
    out = StringIO()
    call_command(command, "--json", *options, stdout=out)
    return json.loads(out.getvalue())


class TestTheTimetable:
    def test_is_what_beat_goes_by(self):
        assert app.conf.beat_schedule == {name: job.entry for name, job in TIMETABLE.items()}

    def test_names_tasks_that_there_are(self):
        app.loader.import_default_modules()
        assert {job.task for job in TIMETABLE.values()} <= set(app.tasks)

    @pytest.mark.parametrize("name", UPKEEP)
    def test_has_all_of_upkeep_each_a_command_that_can_only_say_what_it_would_do(self, name):
        assert name in TIMETABLE
        assert name in get_commands()
        with pytest.raises(SystemExit) as end:
            call_command(name, "--dry-run", "--help")
        assert end.value.code == 0

    def test_asks_so_often_that_a_beat_that_was_started_anew_comes_to_ask(self):
        """Beat counts from its start where it has lost its file, as a container does."""
        assert max(job.every for job in TIMETABLE.values()) <= 3_600


class Runner(threading.Thread):
    """Holds the lock of a job in a connection of its own until told to stop."""

    def __init__(self, job: str):
        super().__init__()
        self.job, self.has_it, self.stop = job, threading.Event(), threading.Event()

    def run(self):
        try:
            with only_run(self.job) as is_ours:
                assert is_ours
                self.has_it.set()
                self.stop.wait(20)
        finally:
            connection.close()

    def __enter__(self):
        self.start()
        assert self.has_it.wait(10)
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()


@pytest.mark.django_db(transaction=True)
class TestASecondRunner:
    def test_does_nothing_and_leaves_no_record(self):
        event = EventFactory()
        Event.objects.filter(pk=event.pk).update(event_date=timezone.now() - timedelta(minutes=1))
        with Runner("advance_events"):
            advance_events.apply(throw=True)
            assert not JobRun.objects.exists()
            assert Event.objects.get().status == "upcoming"
        advance_events.apply(throw=True)
        assert JobRun.objects.get().outcome == "done"
        assert Event.objects.get().status == "ongoing"

    def test_leaves_its_worker_to_others_while_a_mail_server_keeps_the_first(self, mailoutbox):
        account_mail.post(kind="notice", to="uma@example.org", subject="S", text="T", now=timezone.now())
        with Runner("send_account_mail"):
            send_account_mail.apply(throw=True)
            assert mailoutbox == []
        send_account_mail.apply(throw=True)
        assert len(mailoutbox) == 1

    def test_by_hand_waits_and_then_says_that_another_is_at_it(self, monkeypatch):
        monkeypatch.setattr(by_hand, "PATIENCE", 0.3)
        with Runner("advance_events"), pytest.raises(CommandError, match="under way"):
            call_command("advance_events")

    def test_by_hand_goes_on_when_the_first_has_ended(self):
        runner = Runner("close_waitlists")
        with runner:
            threading.Timer(0.3, runner.stop.set).start()
            assert by_hand_says("close_waitlists") == {"dry_run": False, "bookings": 0}

    def test_control_without_the_lock_both_run(self):
        with Runner("another_job"):
            advance_events.apply(throw=True)
        assert JobRun.objects.get().outcome == "done"

    def test_is_let_in_when_the_first_died(self):
        with Runner("reconcile_slots"), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON oid = database"
                " WHERE datname = current_database()"  # others run these tests beside it, in theirs
                " AND locktype = 'advisory' AND (classid, objid::bigint) = (%s, %s)",
                [key("reconcile_slots")[0], key("reconcile_slots")[1] % 2**32],
            )
            assert cursor.rowcount == 1
            with only_run("reconcile_slots", patience=5) as is_ours:
                assert is_ours


@pytest.mark.django_db
class TestADryRun:
    def test_of_advancing_changes_nothing(self):
        now = timezone.now()
        begun, over, draft = EventFactory(), EventFactory(), EventFactory()
        Event.objects.filter(pk=begun.pk).update(event_date=now - timedelta(minutes=1), ends_at=None)
        Event.objects.filter(pk__in=[over.pk, draft.pk]).update(
            event_date=now - timedelta(days=2), ends_at=now - timedelta(days=1)
        )
        Event.objects.filter(pk=draft.pk).update(published_at=None)
        facts = {"ongoing": 1, "completed": 1}
        assert by_hand_says("advance_events", "--dry-run") == {"dry_run": True, **facts}
        assert set(Event.objects.values_list("status", flat=True)) == {"upcoming"}

    def test_of_expiring_changes_nothing(self):
        now, member = timezone.now(), MembershipFactory()
        Invite.objects.create(
            organization=member.organization,
            email="uma@example.org",
            role="user",
            token="0" * 64,
            expires_at=now - timedelta(hours=1),
            created_at=now - timedelta(days=20),
        )
        assert by_hand_says("expire_invites", "--dry-run") == {"dry_run": True, "invites": 1}
        assert Invite.objects.get().status == "pending"
        assert by_hand_says("expire_invites") == {"dry_run": False, "invites": 1}
        assert Invite.objects.get().status == "expired"

    def test_of_clearing_counts_what_has_run_out(self):
        for hours, letter in ((-1, "a"), (1, "b")):
            moment = timezone.now() + timedelta(hours=hours)
            Session.objects.create(session_key=letter * 32, session_data="", expire_date=moment)
            SpentToken.objects.create(digest=letter * 64, expires_at=moment)
        one_each = {"sessions": 1, "tokens": 1}
        assert by_hand_says("clear_sign_in", "--dry-run") == {"dry_run": True, **one_each}
        assert Session.objects.count() == SpentToken.objects.count() == 2
        assert by_hand_says("clear_sign_in") == {"dry_run": False, **one_each}
        assert Session.objects.get().session_key == "b" * 32

    def test_of_tidying_account_mail_counts_each_once(self):
        now = timezone.now()
        for days in (0, 10, 40):
            then = now - timedelta(days=days)
            mail = account_mail.post(kind="notice", to="uma@example.org", subject="S", text="T", now=then)
            AccountMail.objects.filter(pk=mail.pk).update(status="failed", failed_at=then, last_error="away")
        untidy = {"emptied": 1, "forgotten": 1}
        assert by_hand_says("tidy_account_mail", "--dry-run") == {"dry_run": True, **untidy}
        assert AccountMail.objects.exclude(sealed=None).count() == 3
        assert by_hand_says("tidy_account_mail") == {"dry_run": False, **untidy}
        assert AccountMail.objects.exclude(sealed=None).count() == 1


@pytest.mark.django_db(transaction=True)
class TestADryRunOfSending:
    def test_sends_nothing_and_counts_what_the_run_then_sends(self, mailoutbox):
        now = timezone.now()
        for due in (now, now + timedelta(hours=1)):
            account_mail.post(kind="notice", to="uma@example.org", subject="S", text="T", now=due)
        facts = {"mails": 1, "waiting": 1}
        assert by_hand_says("send_account_mail", "--dry-run") == {"dry_run": True, **facts}
        assert mailoutbox == []
        assert by_hand_says("send_account_mail") == {"dry_run": False, **facts}
        assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
class TestADryRunOfTheJobsOfEvents:
    @pytest.fixture
    def cancelled(self):
        event, now = EventFactory(), timezone.now()
        services.book(event_id=event.pk, user_id=UserFactory().pk, seats=1, key=uuid4(), now=now)
        return services.cancel_event(event_id=event.pk, reason="Storm", actor_id=None, now=now)

    def test_changes_nothing_and_counts_what_the_run_then_does(self, cancelled):
        owed = {"jobs": 1, "failed": 0}
        assert by_hand_says("run_event_jobs", "--dry-run") == {"dry_run": True, **owed}
        assert Booking.objects.get().status == "confirmed"
        assert by_hand_says("run_event_jobs") == {"dry_run": False, **owed}
        assert Booking.objects.get().status == "cancelled"

    def test_says_which_failed_and_are_still_owed(self, cancelled, monkeypatch):
        monkeypatch.setattr("bookings.services.jobs.cancel_bookings", lambda **_: 1 / 0)
        assert by_hand_says("run_event_jobs") == {"dry_run": False, "jobs": 0, "failed": 1}


@pytest.mark.django_db(transaction=True)
class TestADryRunOfClosing:
    def test_changes_nothing_and_counts_what_the_run_then_cancels(self):
        event, now = EventFactory(total_slots=2), timezone.now()
        for seats in (2, 1, 2):
            services.book(
                event_id=event.pk, user_id=UserFactory().pk, seats=seats, key=uuid4(), now=now, or_wait=True
            )
        Event.objects.filter(pk=event.pk).update(booking_closes_at=now)
        told = Notification.objects.count()
        assert by_hand_says("close_waitlists", "--dry-run") == {"dry_run": True, "bookings": 2}
        assert (Booking.objects.filter(status="waiting").count(), Notification.objects.count()) == (2, told)
        assert by_hand_says("close_waitlists") == {"dry_run": False, "bookings": 2}
        assert Notification.objects.count() == told + 2


@pytest.mark.django_db(transaction=True)
class TestTheArchiveOnTheTimetable:
    @pytest.fixture
    def old(self):
        return BookingHistory.objects.create(
            booking_id=uuid4(), action="created", created_at=timezone.now() - timedelta(days=1_000)
        )

    def test_is_off_until_a_directory_is_named_and_says_so(self, old, settings, caplog):
        settings.HISTORY_ARCHIVE = ""
        with caplog.at_level("INFO"):
            archive_history.apply(throw=True)
        assert "HISTORY_ARCHIVE names no directory" in caplog.text
        assert BookingHistory.objects.get() == old
        assert JobRun.objects.get().outcome == "done"

    def test_takes_old_months_into_it(self, old, settings, tmp_path):
        settings.HISTORY_ARCHIVE = str(tmp_path / "archive")
        settings.HISTORY_DATABASE_URL = postgres_programs.used().url
        archive_history.apply(throw=True)
        assert not BookingHistory.objects.exists()
        assert (tmp_path / "archive" / f"{old.created_at:%Y-%m}.jsonl.gz").exists()

    def test_fails_and_says_why_where_it_may_not(self, old, settings, tmp_path):
        settings.HISTORY_ARCHIVE = str(tmp_path / "archive")
        clerk = f"clerk_{uuid4().hex[:8]}"
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE {clerk} LOGIN PASSWORD 'clerk'")
            cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {clerk}")
        try:
            url = urlsplit(postgres_programs.used().url)
            signed_in = f"{clerk}:clerk@{url.netloc.rpartition('@')[2]}"
            settings.HISTORY_DATABASE_URL = url._replace(netloc=signed_in).geturl()
            with pytest.raises(archive_job.ArchiveFailed, match="permission denied"):
                archive_job.run()
            assert BookingHistory.objects.get() == old
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP OWNED BY {clerk}")
                cursor.execute(f"DROP ROLE {clerk}")
