"""Where a service is and what went wrong, in few words and without passwords."""

import os
from urllib.parse import urlsplit

from happening.embedded.environment import NOWHERE
from happening.embedded.place import is_embedded


def is_nowhere(variable: str) -> bool:
    """Whether it would have been embedded, and `machine.servers` says why it is not."""
    return os.environ.get(variable) == NOWHERE[variable]


def where(variable: str) -> str:
    """Whose a service is and where, without the password."""
    url = urlsplit(os.environ[variable])
    socket = url.query.removeprefix("host=") or url.path
    if is_embedded(os.environ[variable]):
        return f"embedded, at {socket}"
    address = f"{url.hostname}:{url.port}".removesuffix(":None") if url.hostname else socket
    instance = os.environ.get("HAPPENING_INSTANCE")
    if variable == "AMQP_URL" and instance:
        return f"found at {address}; names on it begin with {instance}"
    return f"given, at {address}"


def first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def several(count: int, one: str, many: str = "") -> str:
    """ "1 event", "2 events"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
