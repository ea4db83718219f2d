"""The names at the broker, and what is declared under them.

On a broker of our own the queues are quorum queues. With an instance's id (a broker that is shared with
other instances) every name carries it, and the queues are light ones that go when nobody has used them for
a week. Dead letters are handed over at least once, which asks for a queue that refuses rather than drops
what is too much for it. A delivery limit of our own: RabbitMQ's depends on its version.
"""

from dataclasses import dataclass

from django.conf import settings

MAX_LENGTH = 100_000
DELIVERY_LIMIT = 10
IDLE_DAYS = 7  # after which a queue of an instance is removed
EVERY_TYPE = "#"


@dataclass(frozen=True)
class Topology:
    instance: str = ""

    @classmethod
    def ours(cls) -> "Topology":
        return cls(settings.INSTANCE)

    @property
    def exchange(self) -> str:
        return f"{self.instance}.happening.notifications" if self.instance else "happening.notifications"

    @property
    def queue(self) -> str:
        return f"{self.exchange}.deliver"

    @property
    def dead(self) -> str:
        return f"{self.exchange}.dead"

    def exchange_arguments(self) -> dict:
        return {"exchange_type": "topic", "durable": True, "auto_delete": bool(self.instance)}

    def queue_arguments(self) -> dict:
        return {
            **self.dead_arguments(),
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.dead,
            "x-overflow": "reject-publish",
            "x-max-length": MAX_LENGTH,
            **({} if self.instance else self._of_a_quorum()),
        }

    def dead_arguments(self) -> dict:
        if self.instance:
            return {"x-expires": IDLE_DAYS * 86_400_000}
        return {"x-queue-type": "quorum"}

    def _of_a_quorum(self) -> dict:
        return {"x-dead-letter-strategy": "at-least-once", "x-delivery-limit": DELIVERY_LIMIT}
