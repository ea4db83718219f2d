"""The web's port. A default that is taken gives way to the next; one that was asked for does not.

The web server binds late, after the database is ready, and shares its port with others of the same user
(SO_REUSEPORT), so two checkouts could take one port and split each other's visitors without an error.
Hence a port is claimed at once: a lock keeps off this user's other runs, a bound socket everybody else.
"""

import errno
import os
import socket

from . import locks
from .errors import ServersUnavailable
from .place import own_runtime

HOST = "127.0.0.1"
DEFAULT, HOW_MANY = 8000, 100

_claimed: list[socket.socket] = []  # bound, never listening, until this process ends


def claim() -> int:
    """A free port, ours until this process ends. PORT in the environment is the one asked for."""
    asked = os.environ.get("PORT", "")
    if asked:
        if not asked.isdecimal() or not 0 < int(asked) < 65536:
            raise ServersUnavailable(f"PORT is {asked!r}; it must be a number between 1 and 65535.")
        if _claim(int(asked)):
            return int(asked)
        raise ServersUnavailable(f"Port {asked} is taken. Choose another PORT, or none to get a free one.")
    port = claim_from(DEFAULT)
    if port is None:
        last = DEFAULT + HOW_MANY - 1
        raise ServersUnavailable(f"Ports {DEFAULT} to {last} are all taken. Set PORT to a free one.")
    return port


def claim_from(first: int) -> int | None:
    """The first free one of HOW_MANY; None where all are taken."""
    return next((port for port in range(first, first + HOW_MANY) if _claim(port)), None)


def _claim(port: int) -> bool:
    lock = locks.take(own_runtime() / f"port-{port}.lock")
    if lock is None:
        return False
    if not _is_free(port):
        os.close(lock)
        return False
    _hold(port)
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as test:
        # The connections of a server that has just ended are no obstacle.
        test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            test.bind((HOST, port))
            test.listen()  # fails where another listens, however politely it shares
        except OSError as error:
            if error.errno == errno.EACCES:
                raise ServersUnavailable(f"Port {port} is for root alone. Choose one above 1023.") from None
            return False
    return True


def shared_socket(port: int) -> socket.socket:
    """A socket bound to a port that another process of this user holds."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((HOST, port))
    return bound


def _hold(port: int) -> None:
    """Bind it in a way that only a server of the same user that shares can listen there."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        holder.bind((HOST, port))
    except OSError:  # connections of a server just ended: the port is free, and only cannot be held
        holder.close()
    else:
        _claimed.append(holder)
