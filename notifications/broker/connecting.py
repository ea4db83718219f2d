"""How we connect: no wait without an end, and a dead peer is noticed."""

from urllib.parse import unquote, urlsplit

import pika

HEARTBEAT = 15  # seconds; a peer that is silent for two of them is gone
BLOCKED = 15  # seconds that an alarm (memory, disk) may hold us up before we let go
SOCKET = 5


def parameters(url: str) -> pika.URLParameters:
    ours = pika.URLParameters(url)
    ours.virtual_host = unquote(urlsplit(url).path[1:]) or "/"  # as Celery reads it: "//" is "/"
    ours.heartbeat = HEARTBEAT
    ours.blocked_connection_timeout = BLOCKED
    ours.socket_timeout = SOCKET
    ours.stack_timeout = 2 * SOCKET
    ours.connection_attempts = 1
    ours.client_properties = {"connection_name": "happening notifications"}
    return ours
