"""RabbitMQ has no wheel: one that answers on this machine as guest is used, else none.

Names are prefixed with the instance's id, so that two instances on one broker stay apart.
"""

import socket

import amqp

from .place import Place

HOST, PORT = "127.0.0.1", 5672
URL = f"amqp://guest:guest@{HOST}:{PORT}//"


def environment(place: Place) -> dict[str, str]:
    """What settings read. An empty AMQP_URL says that there is no RabbitMQ."""
    return {"AMQP_URL": URL if answers() else "", "HAPPENING_INSTANCE": place.secrets["instance"]}


def answers(*, timeout: float = 3) -> bool:
    """Whether a broker on this machine lets guest in."""
    try:
        socket.create_connection((HOST, PORT), timeout=0.5).close()
        with amqp.Connection(f"{HOST}:{PORT}", connect_timeout=timeout, read_timeout=timeout):
            return True
    except (OSError, amqp.AMQPError):
        return False
