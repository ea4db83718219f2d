"""Free runs are derived and may be wrong; the unique index is not."""

from functools import wraps

from django.db import IntegrityError

SEAT_IS_BOOKED_ONCE = "idx_booking_seats_unique"


def mends_free_runs(service):
    """Try `service` once more, with the runs made anew under its own lock, if a seat that they called free
    was booked after all. The service takes `mend_runs` and hands it to `BoxOffice.open`."""

    @wraps(service)
    def trying_twice(**arguments):
        try:
            return service(**arguments)
        except IntegrityError as error:
            if getattr(error.__cause__, "diag", None) is None:
                raise
            if error.__cause__.diag.constraint_name != SEAT_IS_BOOKED_ONCE:
                raise
            return service(**arguments, mend_runs=True)

    return trying_twice
