"""Who watches what in this process, and the newest state of it. Lives in the event loop and knows no Redis.

A topic is read when somebody begins to watch it and whenever it was announced as changed: each source by one
reader, in a thread, everything that changed since in one go, at most four times a second. Because the reading
comes after the announcement, the last change is always shown. A watcher that is slow gets the newest state of
each topic and none of those in between, so nothing piles up.

Announcements can be lost (Redis was away, a process was killed), so everything watched is read again now and
then: every half a minute, every few seconds while nothing can be heard. What has not changed is not sent.
"""

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import DatabaseError, InterfaceError, close_old_connections

from notifications.live.topics import Source, Topic, frame
from orgs.standing_news import STANDING

REST = 0.25  # seconds at least between two readings of a source
LOOK_EVERY = 30.0  # seconds
LOOK_EVERY_WHILE_DEAF = 5.0
PAUSE_AFTER_FAILURE = 2.0

logger = logging.getLogger(__name__)


class Watcher:
    """One stream's view of its topics."""

    __slots__ = ("_news", "_something_new", "is_doubted", "is_over", "person_id", "topics")

    def __init__(self, topics: Iterable[Topic], person_id: UUID | None) -> None:
        self.topics, self.person_id = tuple(topics), person_id
        self.is_over = self.is_doubted = False
        self._news: dict[Topic, bytes] = {}
        self._something_new = asyncio.Event()

    @property
    def subjects(self) -> set[UUID]:
        """Whatever a change of rights may name to concern it."""
        return {topic.subject for topic in self.topics} | ({self.person_id} - {None})

    def tell(self, topic: Topic, news: bytes) -> None:
        self._news[topic] = news
        self._something_new.set()

    def end(self) -> None:
        """There is nothing to watch any more, or nobody who does."""
        self.is_over = True
        self._something_new.set()

    def doubt(self) -> None:
        """Whoever watches may not be allowed to any more."""
        self.is_doubted = True
        self._something_new.set()

    async def news(self, *, within: float) -> bytes:
        """The newest frame of each topic that changed; empty if none did for `within` seconds."""
        if not self._something_new.is_set():
            try:
                async with asyncio.timeout(within):
                    await self._something_new.wait()
            except TimeoutError:
                return b""
        self._something_new.clear()
        news, self._news = self._news, {}
        return b"".join(news.values())


class Reader:
    """Reads what is watched of one source, and tells the watchers."""

    def __init__(self, source: Source, threads: ThreadPoolExecutor) -> None:
        self._source, self._threads = source, threads
        self._watchers: dict[Topic, set[Watcher]] = {}
        self._shown: dict[Topic, bytes] = {}
        self._topics: dict[UUID, set[Topic]] = {}  # of each subject
        self._changed: set[Topic] = set()
        self._something_changed = asyncio.Event()

    def add(self, topic: Topic, watcher: Watcher) -> None:
        self._watchers.setdefault(topic, set()).add(watcher)
        self._topics.setdefault(topic.subject, set()).add(topic)
        if shown := self._shown.get(topic):
            watcher.tell(topic, shown)
        else:
            self._mark([topic])

    def remove(self, topic: Topic, watcher: Watcher) -> None:
        self._watchers[topic].discard(watcher)
        if not self._watchers[topic]:
            del self._watchers[topic]
            self._shown.pop(topic, None)
            self._topics[topic.subject].discard(topic)
            if not self._topics[topic.subject]:
                del self._topics[topic.subject]

    def mark(self, subjects: Iterable[UUID]) -> None:
        """These have changed."""
        self._mark(topic for subject in subjects for topic in self._topics.get(subject, ()))

    def mark_all(self) -> None:
        self._mark(self._watchers)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._something_changed.wait()
            self._something_changed.clear()
            began = loop.time()
            is_read = await self._read()
            took = loop.time() - began
            await asyncio.sleep(max(REST, took) if is_read else PAUSE_AFTER_FAILURE)

    async def _read(self) -> bool:
        """Read what changed and show it; returns whether that worked. What could not be read stays marked."""
        topics, self._changed = list(self._changed & self._watchers.keys()), set()
        try:
            states = await asyncio.get_running_loop().run_in_executor(self._threads, self._states, topics)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("What is watched of %s could not be read: %s", self._source.name, error)
        except Exception:
            logger.exception("What is watched of %s could not be read.", self._source.name)
        else:
            for topic in topics:
                self._show(topic, states.get(topic))
            return True
        self._mark(topics)
        return False

    def _states(self, topics: list[Topic]) -> dict[Topic, bytes]:
        close_old_connections()
        try:
            states = self._source.read(topics)
            return {topic: frame(self._source, state) for topic, state in states.items()}
        finally:
            close_old_connections()

    def _show(self, topic: Topic, news: bytes | None) -> None:
        watchers = self._watchers.get(topic, ())
        if news is None:
            for watcher in watchers:
                watcher.end()
        elif watchers and news != self._shown.get(topic):
            self._shown[topic] = news
            for watcher in watchers:
                watcher.tell(topic, news)

    def _mark(self, topics: Iterable[Topic]) -> None:
        self._changed.update(topics)
        if self._changed:
            self._something_changed.set()


class Hub:
    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._readers: dict[str, Reader] = {}  # by the source's name
        self._watchers: set[Watcher] = set()
        self._about: dict[UUID, set[Watcher]] = {}  # each subject of theirs, and each person
        self._tasks: list[asyncio.Task] = [asyncio.create_task(self._look())]
        self.is_deaf = True  # until somebody listens for announcements
        self._is_over = False

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def watch(self, topics: Iterable[Topic], *, person_id: UUID | None = None) -> Watcher:
        """A watcher of these; it is told each topic's state at once, or as soon as it has been read."""
        watcher = Watcher(topics, person_id)
        self._watchers.add(watcher)
        for subject in watcher.subjects:
            self._about.setdefault(subject, set()).add(watcher)
        for topic in watcher.topics:
            self._reader(topic.source).add(topic, watcher)
        if self._is_over:  # who asked a moment before it ended
            watcher.end()
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        for subject in watcher.subjects:
            self._about[subject].discard(watcher)
            if not self._about[subject]:
                del self._about[subject]
        for topic in watcher.topics:
            self._reader(topic.source).remove(topic, watcher)

    def mark(self, name: str, subjects: Iterable[UUID]) -> None:
        """These of the source `name` have changed; or what these people may do, or who may see these."""
        if name == STANDING:
            for subject in subjects:
                for watcher in self._about.get(subject, ()):
                    watcher.doubt()
        elif reader := self._readers.get(name):
            reader.mark(subjects)

    def mark_all(self) -> None:
        for reader in self._readers.values():
            reader.mark_all()

    def end(self) -> None:
        """End every stream, and read no more."""
        self._is_over = True
        for task in self._tasks:
            task.cancel()
        for watcher in self._watchers:
            watcher.end()

    def _reader(self, source: Source) -> Reader:
        reader = self._readers.get(source.name)
        if reader is None:
            reader = self._readers[source.name] = Reader(source, self._threads)
            self._tasks.append(asyncio.create_task(reader.run()))
        return reader

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_WHILE_DEAF if self.is_deaf else LOOK_EVERY)
            self.mark_all()
