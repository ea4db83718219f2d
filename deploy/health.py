"""Whether the process in this container does its work: exit 0 if so. For Docker's health checks.

health.py http 8000/readyz    answers there with 200, asked by the platform's own name: others are refused
health.py connected 5672      holds a connection to that port, which is all that a worker or sender needs
"""

import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ESTABLISHED = "01"
SECONDS = 4


def answers(port_and_path: str) -> bool:
    port, _, path = port_and_path.partition("/")
    connection = HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
    host = os.environ["ALLOWED_HOSTS"].split(",")[0]
    try:
        connection.request("GET", f"/{path}", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def is_connected(port: str) -> bool:
    """Read from the kernel's tables of this container: no client, no account, no load on the broker."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            _slot, _local, remote, state, *_ = line.split()
            if state == ESTABLISHED and int(remote.rpartition(":")[2], 16) == int(port):
                return True
    return False


LOOKS = {"http": answers, "connected": is_connected}

if __name__ == "__main__":
    sys.exit(0 if LOOKS[sys.argv[1]](sys.argv[2]) else 1)
