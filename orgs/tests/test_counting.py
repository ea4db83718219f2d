"""Counting over processes that come, fork, go and are killed."""

import signal
import subprocess
import sys

import pytest
from django.conf import settings

from orgs.counting import files, together

# A process that counts: it says so, and then lives until it is ended or told to go on.
PROCESS = """
import os, sys
from django.conf import settings
settings.configure(METRICS_DIR=sys.argv[1])
from orgs import counting
calls = counting.Counter("calls_total", "Calls.", ["by"])
seconds = counting.Histogram("seconds", "Seconds.", buckets=(1, 2))
watching = counting.Gauge("watching", "Who watches.", multiprocess_mode="livesum")
def count():
    calls.labels("them").inc()
    seconds.observe(1.5)
    watching.set(5)
calls.labels("them").inc()  # before it counts along: it is not forgotten
counting.begin(sys.argv[2])
count()
"""

# In one write: parent and child share the pipe, and each has its own line in it.
SAY_SO = r"os.write(1, b'counted\n')"


@pytest.fixture
def place(tmp_path):
    return tmp_path / "metrics"


@pytest.fixture
def processes(place):
    begun = []

    def begin(kind, *, more=""):
        code = "\n".join([PROCESS, more, SAY_SO, "input()"])
        words = [sys.executable, "-c", code, place, kind]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(words, cwd=settings.BASE_DIR, **pipes)
        begun.append(process)
        assert process.stdout.readline() == "counted\n"
        return process

    yield begin
    for process in begun:
        process.kill()
        process.stdin.close()
        process.wait()


def read(place):
    metrics, kinds = together.read(place)
    samples = {sample.name: sample.value for metric in metrics for sample in metric.samples}
    return samples, kinds


class TestCounting:
    def test_adds_up_what_all_processes_count(self, place, processes):
        processes("web"), processes("sender")
        samples, kinds = read(place)
        assert samples["calls_total"] == 4
        assert samples["seconds_count"] == 2
        assert samples["watching"] == 10
        assert kinds == {"web": 1, "sender": 1}

    @pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
    def test_keeps_what_the_dead_have_counted_and_not_what_they_were(self, place, processes, end):
        one, _other = processes("web"), processes("web")
        one.send_signal(end)
        one.wait()
        for _ in range(2):  # once buried, they are not buried again
            samples, kinds = read(place)
            assert samples["calls_total"] == 4
            assert samples["seconds_sum"] == 3
            assert samples["watching"] == 5
            assert kinds == {"web": 1}

    def test_holds_no_more_files_however_many_come_and_go(self, place, processes):
        sizes = []
        for _ in range(3):
            process = processes("worker")
            process.kill()
            process.wait()
            sizes.append(len(list(place.iterdir())))
        assert sizes[1] == sizes[2]
        assert read(place)[0]["calls_total"] == 6

    def test_begins_anew_in_a_forked_child(self, place, processes):
        processes("worker", more="if not os.fork():\n    count()\n    os._exit(0)\nos.wait()\n")
        samples, kinds = read(place)
        assert samples["calls_total"] == 3  # two of the parent, one of the child
        assert samples["watching"] == 5
        assert kinds == {"worker": 1}

    def test_sees_a_child_that_counts_and_outlives_its_parent(self, place, processes):
        more = f"if not os.fork():\n    count()\n    {SAY_SO}\n    sys.stdin.read()\n    os._exit(0)"
        parent = processes("worker", more=more)
        parent.stdout.readline()
        parent.kill()  # the child has its own presence, and ends with its standard input
        parent.wait()
        assert read(place)[1] == {"worker": 1}

    def test_goes_on_alone_where_nothing_can_be_written(self, place, processes):
        place.write_text("not a directory")
        processes("web")

    def test_goes_on_when_there_is_no_room_left(self, place, processes):
        more = (
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))\n"
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "for n in range(2_000): calls.labels(f'somebody of a rather long name {n}').inc()\n"
            "count()\n"
        )
        processes("web", more=more)
        assert read(place)[0]["seconds_count"] == 2

    def test_finds_room_for_many_names(self, place, processes):
        processes("web", more="for n in range(2_000): calls.labels(f'somebody of a long name {n}').inc()")
        metrics, _ = together.read(place)
        [calls] = [metric for metric in metrics if metric.name == "calls"]
        assert len(calls.samples) == 2_001
        assert {sample.value for sample in calls.samples} == {1, 2}

    def test_skips_a_file_that_was_just_being_made(self, place, processes):
        processes("web")
        (place / "counter_0123456789abcdef.db").touch()
        assert read(place)[0]["calls_total"] == 2

    def test_says_when_somebody_holds_it_up(self, place, processes, monkeypatch):
        processes("web")
        monkeypatch.setattr(files, "PATIENCE", 0.1)
        with files.locked(place), pytest.raises(TimeoutError, match="locked by another process"):
            together.read(place)
