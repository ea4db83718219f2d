"""`make run`: everything Happening needs, in one terminal, until Ctrl-C.

    python -m happening.embedded.run

In turn: one run a checkout (a second says where the first serves), a port, servers for what is not given,
the database up to date, then web, worker and beat. Whatever way this process ends, nothing it started
goes on: see `processes` for the programs, `lease` for the servers. The next run waits for the last
process of one that was killed, so it gets the same port again.
"""

import http.client
import json
import os
import signal
import sys
import time

from . import environment, identity, locks, port, programs, welcome
from .child import die_with_parent
from .errors import ServersUnavailable
from .lease import CHECKOUT, Lease
from .place import Place
from .processes import EndedTooSoon, Processes
from .terminal import Terminal

READY_SECONDS = 60.0
LAST_PROCESS_SECONDS = 15.0


class Run:
    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.signals = 0
        self.parent = os.getppid()
        self.lease: Lease | None = None

    def serve(self) -> int:
        """Serve until asked to end; returns the exit code."""
        environment.read_file()
        self.place = Place(environment.data_directory()).open()
        self.note = self.place.data / "run.json"
        if not self._is_the_first():
            return 0
        self.note.unlink(missing_ok=True)
        lock = locks.take(self.place.data / "processes.lock", wait=LAST_PROCESS_SECONDS)
        if lock is None:
            raise ServersUnavailable("A process of an earlier `make run` does not end; end it and try again.")
        self.port = port.claim()
        if not os.environ.get("SITE_URL"):
            os.environ["SITE_URL"] = f"http://localhost:{self.port}"
        self.lease = environment.provide(self.place)
        self.has_identity_provider = identity.offer()
        for line in welcome.what_is_used(self.place):
            self.terminal.say(line)
        self.processes = Processes(self.terminal, lock=lock)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_end)
        try:
            return self._work()
        except EndedTooSoon as error:
            self.terminal.say(f"{error} Its reason stands above.")
            return 1
        finally:
            self._stop()

    def _work(self) -> int:
        code = self.processes.finish(programs.setup(), or_when=self._must_end)
        if code is None:
            return 0
        if code:
            self.terminal.say("The database could not be made ready. The reason stands above.")
            return 1
        for program in programs.all_of(port=self.port, data=self.place.data):
            self.processes.start(program)
        self._await_first_page()
        if self.has_identity_provider:
            self.processes.start(programs.identity_provider())
        while not self._must_end():
            self.processes.step(0.5)
            self._keep_servers()
        return 0

    def _await_first_page(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._must_end() and not self._answers():
            if time.monotonic() > deadline:
                raise EndedTooSoon(f"web did not answer within {READY_SECONDS:.0f} seconds.")
            self.processes.step(0.05)
        if not self._must_end():
            address = f"http://localhost:{self.port}"
            aside = self.note.with_suffix(".new")
            aside.write_text(json.dumps({"address": address, "pid": os.getpid()}))
            aside.rename(self.note)
            for line in welcome.banner(address, self.place):
                self.terminal.say(line)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(port.HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _keep_servers(self) -> None:
        """A keeper that was killed took its servers along; they come back where they were."""
        if self.lease and self.lease.has_ended():
            self.terminal.say("The servers have ended; starting them again.")
            self.lease = environment.rejoin(self.place, self.lease)

    def _is_the_first(self) -> bool:
        """Take this checkout's run, or say where the one that has it serves, once it does."""
        deadline = time.monotonic() + READY_SECONDS
        while locks.take(self.place.data / "run.lock", wait=0.1) is None:
            if self.note.exists():
                first = json.loads(self.note.read_text())
                self.terminal.say(
                    f"Happening already runs here: {first['address']} (process {first['pid']})."
                )
                self.terminal.say("Ctrl-C in that terminal ends it.")
                return False
            if time.monotonic() > deadline:
                self.terminal.say("Another `make run` is starting Happening here.")
                return False
        return True

    def _must_end(self) -> bool:
        return bool(self.signals) or self.terminal.is_gone or os.getppid() != self.parent

    def _asked_to_end(self, *_) -> None:
        self.signals += 1

    def _stop(self) -> None:
        asked = self.signals
        self.terminal.say("\nStopping. Ctrl-C again does not wait.")
        self.processes.stop(in_a_hurry=lambda: self.signals > asked)
        self.note.unlink(missing_ok=True)
        if self.lease:
            self.lease.close()
        self.terminal.say(f"Everything has ended. Your data stay in {welcome.short(self.place.data)}.")


def main() -> None:
    if os.environ.get("MAKELEVEL"):
        die_with_parent(signal.SIGTERM)  # a killed `make` takes this along
    os.chdir(CHECKOUT)
    terminal = Terminal()
    try:
        sys.exit(Run(terminal).serve())
    except ServersUnavailable as error:
        terminal.say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:  # before anything was started that needs an end
        sys.exit(130)


if __name__ == "__main__":
    main()
