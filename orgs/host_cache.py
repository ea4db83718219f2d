"""What is known of a host: a few seconds in the process, a minute in Redis, "nobody's" as well as somebody's.

With Redis away only the seconds in the process are left. Facts are plain JSON; `orgs.hosts` reads them.
What was forgotten is not kept in Redis again for a moment: who keeps it may have read the row before it
changed.
"""

from dataclasses import dataclass, field
from time import monotonic

from django.core.cache import cache

SECONDS_HERE, SECONDS_IN_REDIS = 3, 60
FORGOTTEN, SECONDS_FORGOTTEN = "forgotten", 5
MOST_HERE = 1000


@dataclass
class HostCache:
    known_here: dict[str, tuple[float, dict]] = field(default_factory=dict)

    def get(self, host: str) -> dict | None:
        """The facts that were kept; None if nothing is known."""
        until, facts = self.known_here.get(host, (0, None))
        if until > monotonic():
            return facts
        facts = cache.get(_key(host))
        if facts is None or facts == FORGOTTEN:
            return None
        self._keep_here(host, facts)
        return facts

    def keep(self, host: str, facts: dict) -> None:
        cache.add(_key(host), facts, SECONDS_IN_REDIS)  # over nothing that is there
        self._keep_here(host, facts)

    def forget(self, host: str) -> None:
        """For everybody through Redis; every process knows it within seconds."""
        self.known_here.pop(host, None)
        cache.set(_key(host), FORGOTTEN, SECONDS_FORGOTTEN)

    def _keep_here(self, host: str, facts: dict) -> None:
        if len(self.known_here) >= MOST_HERE:  # whoever tries many names gets no more of our memory
            self.known_here.clear()
        self.known_here[host] = monotonic() + SECONDS_HERE, facts


known_hosts = HostCache()


def _key(host: str) -> str:
    return f"host:{host}"
