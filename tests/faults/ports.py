"""Ports on loopback for the run's own servers: below those that the kernel gives to connections, and each
given out once among the runs of this user, until this process ends."""

import random
import socket

from happening.embedded import locks
from happening.embedded.place import own_runtime

HOST = "127.0.0.1"
RANGE = range(20_000, 30_000)


def free_port() -> int:
    for port in random.sample(RANGE, 200):
        if locks.take(own_runtime() / f"port-{port}.lock") is not None and _is_free(port):
            return port
    raise RuntimeError("No port is free between 20,000 and 30,000.")


def _is_free(port: int) -> bool:
    with socket.socket() as test:
        test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            test.bind((HOST, port))
        except OSError:
            return False
    return True
