"""Looking, one thing after the other, each within its time and none in the way of the next.

A look runs in a thread of its own, so that whatever it waits for, a socket or a disk that hangs, is left
behind when its time is up. What asks PostgreSQL does so in one transaction that can change nothing, and
whose statements end with the look's time. Where a service does not answer, what needs it is not tried.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from happening.doctor.finding import Finding, unknown
from happening.doctor.words import first_line

POSTGRESQL, MIGRATIONS, REDIS, RABBITMQ = "PostgreSQL", "Migrations", "Redis", "RabbitMQ"
SERVICES = (POSTGRESQL, REDIS, RABBITMQ)
SECONDS = 10.0


class NotThere(Exception):
    """What a look is named after does not answer, or is not there: looks that need it would find nothing.

    Args:
        because: why they are not tried, after "since".
    """

    def __init__(self, says: str, mend: str, *, because: str) -> None:
        super().__init__(says)
        self.says, self.mend, self.because = says, mend, because


@dataclass(frozen=True)
class Look:
    """Args:
    ask: yields findings; may raise anything.
    needs: names of looks that what they are named after has to be there for.
    seconds: its time.
    """

    name: str
    ask: Callable[[], Iterable[Finding]]
    needs: tuple[str, ...] = ()
    seconds: float = SECONDS


def examine(looks: Iterable[Look]) -> Iterator[Finding]:
    """What each look finds, in their order."""
    missing: dict[str, str] = {}
    for look in looks:
        if reasons := [missing[need] for need in look.needs if need in missing]:
            yield unknown(look.name, f"not looked at, since {reasons[0]}")
            continue
        found, reason = _in_time(look)
        if reason:
            missing[look.name] = reason
        yield from found


def _in_time(look: Look) -> tuple[list[Finding], str]:
    """What it finds within its time, and why what it is named after is missing, if it is."""
    found: list[Finding] = []
    reasons: list[str] = []

    def run() -> None:
        try:
            with _read_only(look.seconds) if POSTGRESQL in look.needs else _nothing():
                for finding in look.ask():
                    found.append(finding)  # noqa: PERF402 - one by one: what is there when time is up counts
        except NotThere as trouble:
            reasons.append(trouble.because)
            found.append(Finding(look.name, trouble.says, trouble.mend))
        except Exception as error:  # a look that fails is a finding, whatever it threw
            found.append(unknown(look.name, f"could not be looked at: {first_line(error)}"))
        finally:
            connection.close()

    thread = threading.Thread(target=run, name=f"doctor: {look.name}", daemon=True)
    thread.start()
    thread.join(look.seconds)
    if not thread.is_alive():
        return found, "".join(reasons)
    says = f"no answer within {look.seconds:g} s"
    late = unknown(look.name, says, "See what holds it up, and look again.")
    if look.name in SERVICES:
        late = Finding(look.name, says, "It is there and does not answer: see its log, and start it again.")
    return [*found, late], f"{look.name} gave {says}"


@contextmanager
def _read_only(seconds: float) -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield
