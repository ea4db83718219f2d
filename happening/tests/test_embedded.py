"""Embedded servers, for real: each test starts servers of its own in a directory of its own.

A server's lock is inherited by all its processes, so "nothing is left" is: the lock can be taken.
"""

import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from happening.embedded import child, lease, locks, port
from happening.embedded.account import Account
from happening.embedded.errors import ServersUnavailable
from happening.embedded.place import Place
from happening.embedded.processes import EndedTooSoon, Processes
from happening.embedded.programs import Program
from happening.embedded.terminal import Terminal

NEEDS = ["postgres", "valkey"]
A_USER = """
import sys
from pathlib import Path
from happening.embedded import lease
from happening.embedded.place import Place
joined = lease.join(Place(Path(sys.argv[1])), ["postgres", "valkey"])
print("joined", flush=True)
sys.stdin.read()
joined.close()
"""

A_RUN = """
import sys
from pathlib import Path
from happening.embedded import locks
from happening.embedded.processes import Processes
from happening.embedded.programs import Program
from happening.embedded.terminal import Terminal
processes = Processes(Terminal(), lock=locks.take(Path(sys.argv[1])))
processes.start(Program("web", ["sh", "-c", "echo started; exec sleep 600"]))
while True:
    processes.step(1)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="happening-test-") as directory:
        Path(directory).chmod(0o711)
        yield Place(Path(directory)).open()


@contextmanager
def joined(place: Place) -> Iterator[dict[str, str]]:
    user = lease.join(place, NEEDS)
    try:
        yield user.environment
    finally:
        user.close()


@contextmanager
def user_process(place: Place) -> Iterator[subprocess.Popen]:
    """Another process that holds a lease until its standard input closes."""
    command = [sys.executable, "-c", A_USER, str(place.data)]
    with subprocess.Popen(
        command, cwd=lease.CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as user:
        yield user
        user.kill()


@contextmanager
def running(command: list[str], *, account: Account | None) -> Iterator[subprocess.Popen]:
    process = child.spawn(command, death_signal=signal.SIGTERM, account=account)
    yield process
    process.kill()
    process.wait()


def assert_nothing_runs(place: Place) -> None:
    for name in ("postgres", "valkey"):
        lock = locks.take(place.servers / f"{name}.lock", wait=20)
        assert lock is not None, f"{name} still runs"
        os.close(lock)
    with pytest.raises(OSError, match=r"No such file|refused"):
        socket.socket(socket.AF_UNIX).connect(str(place.control))


def remember(environment: dict[str, str], word: str) -> None:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        connection.execute("INSERT INTO words VALUES (%s)", [word])
    with redis.Redis.from_url(environment["REDIS_URL"]) as client:
        client.sadd("words", word)


def remembered(environment: dict[str, str]) -> tuple[set[str], set[str]]:
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        words = {word for (word,) in connection.execute("SELECT word FROM words")}
    with redis.Redis.from_url(environment["REDIS_URL"], decode_responses=True) as client:
        return words, client.smembers("words")


def kill(number: str) -> None:
    os.kill(int(number), signal.SIGKILL)


def wait_for(is_so: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not _holds(is_so):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _holds(is_so: Callable[[], bool]) -> bool:
    try:
        return is_so()
    except psycopg.OperationalError:  # while it is away
        return False


class TestServers:
    def test_start_for_the_first_user_and_stop_with_the_last(self, place):
        with joined(place) as environment:
            remember(environment, "first")
            with joined(place) as second:
                assert second == environment
            assert "first" in remembered(environment)[0]
        assert_nothing_runs(place)

    def test_keep_what_was_written(self, place):
        with joined(place) as environment:
            remember(environment, "kept")
        with joined(place) as environment:
            assert all("kept" in words for words in remembered(environment))

    def test_let_nobody_in_without_the_password(self, place):
        with joined(place) as environment:
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(environment["DATABASE_URL"], password="guessed")
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(unix_socket_path=environment["REDIS_URL"].split("@")[1], retry=None).ping()

    def test_start_once_for_users_who_come_at_the_same_time(self, place):
        with user_process(place) as one, user_process(place) as two, user_process(place) as three:
            assert [user.stdout.readline() for user in (one, two, three)] == ["joined\n"] * 3
            one.communicate()
            with joined(place) as environment:
                remember(environment, "shared")
        assert_nothing_runs(place)

    def test_stop_when_their_user_is_killed(self, place):
        with user_process(place) as user:
            assert user.stdout.readline() == "joined\n"
            user.kill()
            assert_nothing_runs(place)

    def test_stay_while_another_user_is_killed(self, place):
        with user_process(place) as user, joined(place) as environment:
            assert user.stdout.readline() == "joined\n"
            user.kill()
            remember(environment, "stayed")
            assert "stayed" in remembered(environment)[1]

    def test_stop_when_the_keeper_is_killed_and_start_again_with_all_data(self, place):
        with joined(place) as environment:
            remember(environment, "before the keeper was killed")
            kill((place.data / "keeper.lock").read_text())
            assert_nothing_runs(place)
        with joined(place) as again:
            assert again == environment
            assert all("before the keeper was killed" in words for words in remembered(again))

    def test_come_back_with_all_data_when_killed(self, place):
        with joined(place) as environment:
            remember(environment, "before postgres was killed")
            started = (place.servers / "postgres/postmaster.pid").read_text().split()
            kill(started[0])
            wait_for(lambda: "before postgres was killed" in remembered(environment)[0])
            assert (place.servers / "postgres/postmaster.pid").read_text().split()[0] != started[0]

    def test_start_again_when_a_dead_server_left_the_number_of_a_living_process(self, place):
        with joined(place) as environment:
            remember(environment, "before the numbers were used again")
            note = (place.servers / "postgres/postmaster.pid").read_text()
        with running(["sleep", "60"], account=place.account) as other:
            living = f"{other.pid}\n"
            (place.servers / "postgres.lock").write_text(living)
            (place.servers / "postgres/postmaster.pid").write_text(living + note.partition("\n")[2])
            (place.sockets / ".s.PGSQL.5432.lock").write_text(living)
            with joined(place) as environment:
                assert "before the numbers were used again" in remembered(environment)[0]


class TestProcesses:
    """Those of `make run`, here with programs that only sleep."""

    @pytest.fixture
    def started(self, tmp_path) -> Iterator[Processes]:
        processes = Processes(Terminal(io.StringIO()), lock=locks.take(tmp_path / "lock"))
        processes.start(Program("web", ["sleep", "600"]))
        yield processes
        processes.stop(in_a_hurry=lambda: True)

    def test_that_ends_is_started_again(self, started, monkeypatch):
        monkeypatch.setattr("happening.embedded.processes.HARDLY_BEGUN", 0)
        [first] = started.running
        first.process.kill()
        wait_for(lambda: started.step(0.1) or started.running[0] is not first)
        assert "ended (killed by SIGKILL); starting it again" in started.terminal.output.getvalue()

    def test_that_ends_at_once_ends_all(self, started):
        started.start(Program("beat", ["false"]))
        with pytest.raises(EndedTooSoon, match="beat ended as soon as it had begun"):
            wait_for(lambda: started.step(0.1))

    def test_take_along_what_they_started_themselves(self, started, tmp_path):
        started.start(Program("worker", ["sh", "-c", "sleep 600 & sleep 600"]))
        started.stop(in_a_hurry=lambda: False)
        os.close(started.lock)
        assert locks.take(tmp_path / "lock", wait=10) is not None

    def test_end_when_the_run_is_killed(self, tmp_path):
        lock = tmp_path / "lock"
        with subprocess.Popen(
            [sys.executable, "-c", A_RUN, str(lock)], cwd=lease.CHECKOUT, stdout=subprocess.PIPE, text=True
        ) as run:
            assert "started" in run.stdout.readline()
            run.kill()
        assert locks.take(lock, wait=10) is not None


class TestSecondRun:
    def test_says_where_the_first_serves(self, tmp_path):
        assert locks.take(tmp_path / "run.lock") is not None
        (tmp_path / "run.json").write_text('{"address": "http://localhost:8123", "pid": 1}')
        done = subprocess.run(
            [sys.executable, "-m", "happening.embedded.run"],
            cwd=lease.CHECKOUT,
            env=os.environ | {"HAPPENING_DATA": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0
        assert "already runs here: http://localhost:8123" in done.stdout


class TestWatchdog:
    """The portable way, where the kernel does not tie a child to its parent."""

    def test_ends_the_child_of_a_killed_parent(self, tmp_path):
        lock = tmp_path / "lock"
        parent = f"""
import signal, sys, time
from pathlib import Path
from happening.embedded import child, locks
child._libc = None
held = locks.take(Path({str(lock)!r}))
child.spawn(["sleep", "600"], death_signal=signal.SIGTERM, pass_fds=(held,))
print("started", flush=True)
time.sleep(600)
"""
        with subprocess.Popen(
            [sys.executable, "-c", parent], cwd=lease.CHECKOUT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline() == "started\n"
            assert locks.take(lock) is None
            process.kill()
        assert locks.take(lock, wait=10) is not None

    def test_ends_with_a_child_that_ended(self, monkeypatch):
        monkeypatch.setattr(child, "_libc", None)
        process = child.spawn(["true"], death_signal=signal.SIGTERM)
        process.wait()
        child.forget(process)
        assert process.watchdog.returncode is not None


class TestPort:
    def test_gives_way_when_the_default_is_taken(self, monkeypatch):
        monkeypatch.delenv("PORT", raising=False)
        with socket.create_server((port.HOST, 0)) as taken:
            number = taken.getsockname()[1]
            monkeypatch.setattr(port, "DEFAULT", number)
            assert port.claim() > number

    def test_that_was_asked_for_and_is_taken_is_an_error(self, monkeypatch):
        with socket.create_server((port.HOST, 0)) as taken:
            monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
            with pytest.raises(ServersUnavailable, match="is taken"):
                port.claim()

    def test_is_not_given_twice_before_anybody_listens(self, monkeypatch):
        monkeypatch.delenv("PORT", raising=False)
        monkeypatch.setattr(port, "DEFAULT", 21000)
        assert port.claim() != port.claim()

    def test_must_be_a_number(self, monkeypatch):
        monkeypatch.setenv("PORT", "http")
        with pytest.raises(ServersUnavailable, match="must be a number"):
            port.claim()
