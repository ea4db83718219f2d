"""RabbitMQ: the only place that knows AMQP. Whatever it can throw leaves as `BrokerAway`.

    exchange happening.notifications (topic, durable)
        -> queue happening.notifications.deliver   every type; read by `deliver_notifications`
               -> happening.notifications.dead     what cannot be read, or ends its reader again and again

A message is a hint to look at a row: it carries the row's id and type and nothing else, so a message that
comes twice, late or never costs time, not truth. Messages that wait, wait in the table; the queue is short.
"""

from notifications.broker.consumer import Consumer, Delivery
from notifications.broker.dead import DeadLetters, dead_letters
from notifications.broker.depths import Depth, depths
from notifications.broker.errors import BrokerAway, DoesNotFit
from notifications.broker.publisher import Publisher, Settled
from notifications.broker.standing import Standing, standing
from notifications.broker.topology import Topology

__all__ = [
    "BrokerAway",
    "Consumer",
    "DeadLetters",
    "Delivery",
    "Depth",
    "DoesNotFit",
    "Publisher",
    "Settled",
    "Standing",
    "Topology",
    "dead_letters",
    "depths",
    "standing",
]
