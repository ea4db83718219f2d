"""The process that owns a place's servers for as long as somebody is connected to it.

    python -m happening.embedded.keeper DATA durable|throwaway SOCKET_DESCRIPTOR

`lease` starts it with the listening socket already open and its own connection waiting there. It serves
one request a connection (which services are needed), and the connection itself is the lease: its end,
however it comes, is the user's end. A user that says goodbye by closing its half hears the other half
close when the servers have stopped, if it was the last. A server that dies is started again, a few times.
"""

import logging
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path

from . import broker, locks, messages
from .errors import ServersUnavailable
from .place import Place
from .postgres import Postgres
from .valkey import Valkey

logger = logging.getLogger("keeper")

KINDS = {"postgres": Postgres, "valkey": Valkey}
RESTARTS, PER_SECONDS = 5, 60
OLD_KEEPER_SECONDS = 60
REQUEST_SECONDS = 5


class Keeper:
    def __init__(self, place: Place, listener: socket.socket) -> None:
        self.place = place
        self.listener = listener
        self.users: set[socket.socket] = set()
        self.servers: dict[str, Postgres | Valkey] = {}
        self.restarts: list[float] = []
        self.broker: dict[str, str] = {}
        self.asked_to_end = False
        self.selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve until the last user has gone, then stop the servers."""
        self._listen_for_signals()
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self._welcome)
        self._welcome()
        while not self.asked_to_end and not self._closed_for_want_of_users():
            for key, _ in self.selector.select():
                key.data()
            self._revive()
        self.stop()

    def _welcome(self) -> None:
        while True:
            try:
                user, _ = self.listener.accept()
            except BlockingIOError:
                return
            user.settimeout(REQUEST_SECONDS)  # a user that asks nothing must not hold up the others
            self.users.add(user)
            self.selector.register(user, selectors.EVENT_READ, lambda user=user: self._hear(user))
            self._hear(user)

    def _hear(self, user: socket.socket) -> None:
        try:
            request = messages.receive(user)
            if request is not None:
                messages.send(user, self._answer(request))
                return
        except (OSError, ValueError) as error:
            logger.warning("dropped a user: %s", error)
        self._forget(user)

    def _forget(self, user: socket.socket) -> None:
        self.users.discard(user)
        self.selector.unregister(user)
        if self.users:
            user.close()
        else:
            self.last_user = user  # open until the servers have stopped: it may be waiting for that

    def _answer(self, request: dict) -> dict:
        environment: dict[str, str] = {}
        try:
            for name in request["needs"]:
                environment |= self._broker() if name == "broker" else self._server(name)
        except ServersUnavailable as error:
            return {"error": str(error)}
        return {"environment": environment}

    def _server(self, name: str) -> dict[str, str]:
        if name not in self.servers:
            server = KINDS[name](self.place)
            server.start()
            self.servers[name] = server
        return self.servers[name].environment()

    def _broker(self) -> dict[str, str]:
        """Decided once, so that all users of this keeper publish to where its workers listen."""
        if not self.broker:
            self.broker = broker.environment(self.place)
        return self.broker

    def _revive(self) -> None:
        for server in self.servers.values():
            if server.has_ended:
                now = time.monotonic()
                self.restarts = [moment for moment in self.restarts if moment > now - PER_SECONDS] + [now]
                if len(self.restarts) > RESTARTS:
                    raise ServersUnavailable(f"{server.name} ends again and again:\n{server.last_words()}")
                logger.warning("%s ended; starting it again", server.name)
                server.start()

    def _closed_for_want_of_users(self) -> bool:
        """Under the starters' lock nobody can be about to connect, so closing turns nobody away."""
        if self.users:
            return False
        with locks.held(self.place.starting, wait=OLD_KEEPER_SECONDS):
            self._welcome()
            if self.users:
                return False
            self.place.control.unlink(missing_ok=True)
            self.listener.close()
        return True

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()

    def _listen_for_signals(self) -> None:
        """A child's end and a request to end both wake the loop."""
        awake, wake = socket.socketpair()
        awake.setblocking(False)
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        self.wake = wake
        self.selector.register(awake, selectors.EVENT_READ, lambda: awake.recv(4096))

    def _end(self, *_) -> None:
        self.asked_to_end = True


def main(data: str, durability: str, descriptor: str) -> None:
    place = Place(Path(data), durable=durability == "durable").open()
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    os.chdir("/")
    listener = socket.socket(fileno=int(descriptor))
    listener.set_inheritable(False)
    lock = locks.take(place.data / "keeper.lock", wait=OLD_KEEPER_SECONDS)
    if lock is None:
        sys.exit("the keeper before this one does not end")
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())  # for people: the lock is what counts
    keeper = Keeper(place, listener)
    try:
        keeper.run()
    except ServersUnavailable as error:
        logger.error("%s", error)
        keeper.stop()
    os._exit(0)  # the last user hears of it as this process ends, and not before


if __name__ == "__main__":
    main(*sys.argv[1:])
