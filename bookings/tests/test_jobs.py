from datetime import timedelta

import pytest

from bookings import services
from bookings.models import Booking, EventJob
from bookings.services import jobs
from notifications.models import Notification
from tests.factories import EventFactory

pytestmark = pytest.mark.django_db


class TestRunJobs:
    def test_finishes_what_is_due_and_leaves_what_is_not(self, event, book, reschedule, cancel_event, now):
        other = EventFactory()
        book(other, 1)
        reschedule(other, place="The park")
        cancel_event(event)
        assert services.run_jobs(now=now) == 1
        assert [job.kind for job in EventJob.objects.filter(finished_at=None)] == ["tell_of_change"]

    def test_does_what_has_been_due_longest_first(self, book, reschedule, now, monkeypatch):
        events = [EventFactory() for _ in range(3)]
        for minutes, event in zip((2, 0, 1), events, strict=True):
            reschedule(event, place="The park", now=now + timedelta(minutes=minutes))
        done = []
        monkeypatch.setattr(jobs, "_next_page", lambda job, now: done.append(job.event_id))
        services.run_jobs(now=now + timedelta(hours=1))
        assert done == [events[1].pk, events[2].pk, events[0].pk]

    def test_goes_on_with_the_others_when_one_fails(self, event, book, cancel_event, now, monkeypatch):
        broken = EventFactory()
        cancel_event(broken, now=now - timedelta(hours=1))
        booking = book(event, 1)
        cancel_event(event)
        do = jobs.cancel_bookings

        def failing(*, job, now):
            if job.event_id == broken.pk:
                raise RuntimeError("This one never works.")
            return do(job=job, now=now)

        monkeypatch.setattr(jobs, "cancel_bookings", failing)
        assert services.run_jobs(now=now) == 1
        assert Booking.objects.get(pk=booking.pk).is_cancelled
        assert EventJob.objects.get(finished_at=None).event_id == broken.pk

    def test_twice_at_the_same_time_does_everything_once(self, event, book, cancel_event, now, monkeypatch):
        """Both runs have read the same list of jobs before either begins."""
        book(event, 1)
        cancel_event(event)
        job = EventJob.objects.get()
        services.run_jobs(now=now)
        assert not jobs._next_page(job, now=now)
        assert Notification.objects.filter(type="event_cancelled").count() == 1

    def test_forgets_the_jobs_of_an_event_that_was_deleted(self, event, reschedule, now):
        reschedule(event, place="The park")
        event.delete()
        assert services.run_jobs(now=now + timedelta(hours=1)) == 0


class TestEventJob:
    def test_stands_once_for_each_kind_and_event(self, event, now):
        kind = EventJob.Kind.SETTLE_QUEUE
        EventJob.objects.owe(event, kind, due_at=now)
        EventJob.objects.owe(event, kind, due_at=now + timedelta(hours=1))
        assert EventJob.objects.get().due_at == now
        EventJob.objects.finish(event.pk, kind, now=now)
        EventJob.objects.owe(event, kind, due_at=now + timedelta(hours=1))
        assert EventJob.objects.filter(finished_at=None).get().due_at == now + timedelta(hours=1)
