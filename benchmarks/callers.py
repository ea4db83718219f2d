"""Many callers at once: threads in several processes that call one function until the time is up."""

import multiprocessing
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles

WARM_UP = 10  # calls of each caller before the clock starts: until then psycopg prepares its statements


@dataclass
class Tally:
    calls: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.calls / self.seconds

    @property
    def p99(self) -> float:
        """Milliseconds."""
        return quantiles(self.latencies, n=100)[98] * 1000


def crowd(caller: str, arguments: dict, *, processes: int, threads: int, seconds: float) -> Tally:
    """Let `processes` x `threads` callers call at once.

    Args:
        caller: "module:function" of one that takes `arguments` and returns a function to be called with a
            random generator, made once in each thread.
    """
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(processes), spawn.SimpleQueue()
    workers = [
        spawn.Process(target=_process, args=(caller, arguments, threads, seconds, start, results, number))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    tallies = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    total = Tally()
    for tally in tallies:
        if isinstance(tally, str):
            raise RuntimeError(tally)
        total.calls += tally.calls
        total.cpu += tally.cpu
        total.latencies += tally.latencies
        total.seconds = max(total.seconds, tally.seconds)
    return total


def _process(caller, arguments, threads, seconds, start, results, number) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
    try:
        import django

        django.setup()
        results.put(_callers(_load(caller), arguments, threads, seconds, start, number))
    except BaseException as error:
        start.abort()
        results.put(repr(error))


def _callers(make: Callable, arguments: dict, threads: int, seconds: float, start, number: int) -> Tally:
    tally, lock, ready = Tally(), threading.Lock(), threading.Barrier(threads + 1)
    go, errors = threading.Event(), []

    def caller(seed: int) -> None:
        pick = random.Random(seed)
        try:
            call = make(**arguments)
            for _ in range(WARM_UP):
                call(pick)
            ready.wait()
            go.wait()
            own = []
            end = time.perf_counter() + seconds
            while (began := time.perf_counter()) < end:
                call(pick)
                own.append(time.perf_counter() - began)
            with lock:
                tally.calls += len(own)
                tally.latencies += own
        except BaseException as error:
            errors.append(error)
            ready.abort()

    crew = [threading.Thread(target=caller, args=(number * 1000 + each,)) for each in range(threads)]
    for thread in crew:
        thread.start()
    try:
        ready.wait()
        start.wait()
    finally:
        began, cpu = time.perf_counter(), time.process_time()
        go.set()
        for thread in crew:
            thread.join()
    tally.seconds, tally.cpu = time.perf_counter() - began, time.process_time() - cpu
    if errors:
        raise errors[0]
    return tally


def _load(path: str) -> Callable:
    module, _, name = path.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)
