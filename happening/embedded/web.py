"""What `make run` serves on its one port: pages by WSGI in threads, `/live/` by the ASGI process's own way.

    python -m happening.embedded.web PORT

One process with threads: a developer's machine has few visitors, and one log is easier to read. Streams are
ended as soon as it is asked to stop, so that nobody waits for them.
"""

import logging
import signal
import sys

from .child import die_with_parent

die_with_parent(signal.SIGTERM)

import uvicorn  # noqa: E402
from a2wsgi import WSGIMiddleware  # noqa: E402

from happening.asgi import application as live  # noqa: E402
from happening.live_process import PATIENCE, Server  # noqa: E402
from happening.wsgi import application as pages  # noqa: E402

from .port import shared_socket  # noqa: E402

THREADS = 8


class Application:
    """Streams go one way, everything else the other."""

    def __init__(self) -> None:
        self._pages = WSGIMiddleware(pages, workers=THREADS)

    async def __call__(self, scope, receive, send) -> None:
        is_live = scope["type"] == "lifespan" or scope["path"].startswith("/live/")
        await (live if is_live else self._pages)(scope, receive, send)


class RequestFormatter(logging.Formatter):
    """GET /events/ 200"""

    def format(self, record):
        _client, method, path, _version, status = record.args
        return f"{method} {path.partition('?')[0]} {status}"


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"request": {"()": RequestFormatter}},
    "handlers": {"requests": {"class": "logging.StreamHandler", "formatter": "request"}},
    "loggers": {
        "uvicorn.access": {"handlers": ["requests"], "level": "INFO", "propagate": False},
        "uvicorn.error": {"level": "WARNING"},
    },
}


def main(port: int) -> None:
    config = uvicorn.Config(
        Application(), log_config=LOGGING, timeout_graceful_shutdown=PATIENCE, server_header=False
    )
    Server(config).run(sockets=[shared_socket(port)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
