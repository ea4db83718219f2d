"""What becomes of requests to book, of bookings, and of what is derived from them: counted as it happens."""

from collections.abc import Iterable

from bookings.errors import BookingRefused
from orgs.counting import Counter

REQUESTS = Counter(
    "happening_bookings_total", "Requests to book, by what became of them.", ["outcome", "reason"]
)
CHANGES = Counter(
    "happening_booking_changes_total", "Lines of the bookings' history, once committed.", ["action"]
)
DRIFT = Counter(
    "happening_slot_drift_total", "Seats by which something derived was found wrong.", ["what", "mended"]
)
CONFIRMED, WAITING, REPEATED = (REQUESTS.labels(word, "") for word in ("confirmed", "waiting", "repeated"))


def granted(*, is_new: bool, is_confirmed: bool) -> None:
    """A request was answered with a booking; a form that came again, with the one it had made."""
    (CONFIRMED if is_new and is_confirmed else WAITING if is_new else REPEATED).inc()


def not_granted(error: BaseException) -> None:
    """A request was refused, for a reason that can be told to the person; or it failed."""
    outcome = "refused" if isinstance(error, BookingRefused) else "failed"
    REQUESTS.labels(outcome, type(error).__name__).inc()


def changed(actions: Iterable[str]) -> None:
    for action in actions:
        CHANGES.labels(action).inc()
