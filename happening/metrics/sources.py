"""Asking a service for its figures so that who reads /metrics neither waits for it nor loads it.

Each source is asked in a thread of its own, one at a time, at most every few seconds however many ask. What
does not answer in time is missing from that reading; the thread goes on waiting, and no second one is begun.
Each question of a source fails alone.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

Question = Callable[[], Iterable[Metric]]
logger = logging.getLogger(__name__)


class Source:
    """A service with questions to it, by name.

    Args:
        kept: seconds for which an answer is given again.
        wrap: called with each question, to put it in its terms: a limit of time, for example.
        close: called by the thread when it ends.
    """

    def __init__(
        self,
        questions: dict[str, Question],
        *,
        kept: float,
        wrap: Callable[[Question], list[Metric]] = lambda question: list(question()),
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self._questions, self._kept, self._wrap, self._close = questions, kept, wrap, close
        self._changed = threading.Condition()
        self._answers: dict[str, list[Metric] | None] = {}
        self._failing: set[str] = set()  # said once, not at every reading
        self._is_asking = False
        self._asked_at = float("-inf")

    def ask(self) -> None:
        """Begin to ask, unless the last answers are young or somebody asks already."""
        with self._changed:
            if self._is_asking or time.monotonic() < self._asked_at + self._kept:
                return
            threading.Thread(target=self._run, name="metrics", daemon=True).start()
            self._is_asking, self._asked_at, self._answers = True, time.monotonic(), {}

    def answers(self, *, until: float) -> Iterator[Metric]:
        """What was answered by then (of `time.monotonic`), and which questions were."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_asking, timeout=max(0.0, until - time.monotonic()))
            answers = dict(self._answers)
        for name in self._questions:
            metrics = answers.get(name)
            yield is_up(name, metrics is not None)
            yield from metrics or ()

    def _run(self) -> None:
        try:
            for name, question in self._questions.items():
                answer = self._answer(name, question)
                with self._changed:
                    self._answers[name] = answer
            self._close()
        finally:
            with self._changed:
                self._is_asking = False
                self._changed.notify_all()

    def _answer(self, name: str, question: Question) -> list[Metric] | None:
        try:
            answer = self._wrap(question)
        except Exception as error:  # whatever a service can throw: the others are asked all the same
            if name not in self._failing:
                logger.warning("No figures of %s: %s", name, type(error).__name__)
                self._failing.add(name)
            return None
        if name in self._failing:
            self._failing.remove(name)
            logger.info("There are figures of %s again.", name)
        return answer


def is_up(name: str, answered: bool) -> Metric:
    words = "Whether this collector had an answer in time."
    metric = GaugeMetricFamily("happening_collector_up", words, labels=["collector"])
    metric.add_metric([name], float(answered))
    return metric
