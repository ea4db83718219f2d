"""The live process of production: streams end as soon as it is asked to stop, so that nobody waits for them.

python -m happening.live_process HOST PORT
"""

import sys

import uvicorn

from happening.asgi import application

PATIENCE = 5  # seconds for answers that are under way when it is asked to stop


class Server(uvicorn.Server):
    async def shutdown(self, sockets=None) -> None:
        application.end_streams()  # here, because in the middle of a signal what wakes a stream can be lost
        await super().shutdown(sockets)


def main(host: str, port: int) -> None:
    """Serve; what it logs goes where the settings have it."""
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    Server(config).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
