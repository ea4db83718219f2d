"""Work that events owe, done page by page: a page is a transaction, and says in the job how far it came.

Jobs take turns: a page of each, and round again. So a change told to a hundred thousand people does not hold
up another event that was cancelled, and one that fails stays owed without keeping the others waiting. One
run at a time works, whoever starts more: the rest of the workers are for the rest of the work.
"""

import logging
import time
from collections import deque
from datetime import datetime, timedelta

from bookings.models import EventJob
from bookings.services.cancel_event import cancel_bookings
from bookings.services.news import tell_of_change
from bookings.services.promote import settle
from bookings.services.remind import remind
from orgs.crash_points import crash_point
from orgs.nudge import nudge
from orgs.only_run import only_run

logger = logging.getLogger(__name__)


def run_jobs(*, now: datetime, for_at_most: timedelta | None = None) -> int:
    """Work off the jobs that are due; returns how many were finished. One that fails stays owed.

    Where another run is at it already, this one does nothing. `for_at_most` bounds the time: what is left
    then goes to the next run, which is asked for at once.
    """
    ends = time.monotonic() + for_at_most.total_seconds() if for_at_most else float("inf")
    finished = 0
    with only_run("run_event_jobs") as is_ours:
        turns = deque(EventJob.objects.due(at=now) if is_ours else [])
        while turns and time.monotonic() < ends:
            job = turns.popleft()
            try:
                is_finished = not _next_page(job, now=now)
            except Exception:
                logger.exception(
                    "The job %s of event %s failed and will be tried again.", job.kind, job.event_id
                )
                continue
            crash_point("fan_out:page_committed")
            if is_finished:
                finished += 1
            else:
                turns.append(job)
    if turns:
        nudge(EventJob.TASK)
    return finished


def _next_page(job: EventJob, *, now: datetime) -> bool:
    """One page of a job; returns whether there is more to do."""
    match job.kind:
        case EventJob.Kind.CANCEL_BOOKINGS:
            return cancel_bookings(job=job, now=now)
        case EventJob.Kind.SETTLE_QUEUE:
            return not settle(event_id=job.event_id, now=now)
        case EventJob.Kind.TELL_OF_CHANGE:
            return tell_of_change(job=job, now=now)
        case EventJob.Kind.REMIND:
            return remind(job=job, now=now)
