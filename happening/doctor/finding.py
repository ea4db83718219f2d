"""What a look comes to."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # it could not be looked at


@dataclass(frozen=True)
class Finding:
    """`mend` says what to do: a command, SQL for the owner of the tables, or a sentence. What is wrong has
    one."""

    what: str
    says: str
    mend: str = ""
    could_look: bool = True

    @property
    def state(self) -> State:
        if not self.could_look:
            return State.UNKNOWN
        return State.WRONG if self.mend else State.OK

    @property
    def is_ok(self) -> bool:
        return self.state == State.OK


def unknown(what: str, says: str, mend: str = "") -> Finding:
    return Finding(what, says, mend, could_look=False)


def as_facts(found: list[Finding]) -> list[dict]:
    """The same for programs."""
    return [
        {"what": one.what, "state": one.state, "ok": one.is_ok, "says": one.says, "mend": one.mend or None}
        for one in found
    ]
