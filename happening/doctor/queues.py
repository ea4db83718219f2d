"""RabbitMQ, its exchange and queues, Celery's queue, and who listens.

In development nobody need be listening: servers run for the length of a command.
"""

from collections.abc import Iterator

from amqp.exceptions import NotFound, PreconditionFailed
from django.conf import settings
from kombu import Connection
from kombu.exceptions import ChannelError, KombuError

from happening import celery
from happening.doctor.finding import Finding
from happening.doctor.look import RABBITMQ, NotThere
from happening.doctor.words import first_line, several, where
from notifications.broker import Standing, Topology, standing

SECONDS = 5
OLDEST = (3, 10)
CROWDED = 5_000  # messages in a queue that should be short
WORKER = "Start a worker (`celery --app happening worker`)"
SENDER = "Start a sender (`python manage.py deliver_notifications`)"


def answers() -> Iterator[Finding]:
    if not settings.AMQP_URL:
        yield Finding(RABBITMQ, "none; background work goes through Redis, and the worker delivers")
        return
    try:
        with Connection(settings.AMQP_URL, connect_timeout=SECONDS) as link:
            link.ensure_connection(max_retries=1, timeout=SECONDS)
            version = str(link.connection.server_properties.get("version", ""))
    except (OSError, KombuError) as error:
        mend = "Start RabbitMQ, or correct AMQP_URL. What people are owed waits in PostgreSQL until then."
        raise NotThere(
            f"{where('AMQP_URL')} does not answer: {first_line(error)}",
            mend,
            because="RabbitMQ does not answer",
        ) from error
    old = _numbers(version) < OLDEST
    mend = "Use RabbitMQ 3.10 or newer: older ones have no such quorum queues." if old else ""
    yield Finding(RABBITMQ, f"{version}, {where('AMQP_URL')}", mend)


def topology(names: Topology | None = None) -> Iterator[Finding]:
    """What the relay and the sender declare, and how full it is."""
    if not settings.AMQP_URL:
        return
    names = names or Topology.ours()
    exchange, queue, dead = standing(settings.AMQP_URL, names)
    for one in (exchange, queue, dead):
        yield from _declared(one, is_exchange=one is exchange)
    if queue.is_there:
        yield _listened_to("Queue", queue, SENDER)
    if dead.messages:
        says = several(dead.messages, "message that", "messages that")
        mend = "Run `python manage.py redrive_notifications`, once what the sender's log says is mended."
        yield Finding("Dead letters", f"{says} could not be read or ended its sender", mend)


def of_celery() -> Iterator[Finding]:
    """Celery's own queue."""
    with Connection(settings.CELERY_BROKER_URL, connect_timeout=SECONDS) as link:
        if settings.AMQP_URL:
            yield from _at_rabbitmq(link)
        else:
            yield _at_redis(link)


def _at_rabbitmq(link: Connection) -> Iterator[Finding]:
    try:
        found = celery.queue()(link.channel()).queue_declare(passive=True)
    except NotFound:
        yield from _declared(Standing(celery.NAME, is_there=False), is_exchange=False)
        return
    try:
        celery.queue()(link.channel()).declare()
    except PreconditionFailed as error:
        otherwise = Standing(celery.NAME, True, str(error.reply_text))
        yield from _declared(otherwise, is_exchange=False)
    queue = Standing(celery.NAME, True, "", found.message_count, found.consumer_count)
    yield _listened_to("Celery's queue", queue, WORKER)


def _at_redis(link: Connection) -> Finding:
    """Redis keeps no queue that is empty, and counts nobody who listens: workers are asked."""
    try:
        waiting = celery.queue()(link.channel()).queue_declare(passive=True).message_count
    except ChannelError:
        waiting = 0
    workers = celery.app.control.ping(timeout=1, connection=link)
    queue = Standing(celery.NAME, True, "", waiting, len(workers))
    return _listened_to("Celery's queue", queue, WORKER)


def _declared(one: Standing, *, is_exchange: bool) -> Iterator[Finding]:
    kind = "exchange" if is_exchange else "queue"
    if one.otherwise:
        delete = f"rabbitmqctl delete_queue {one.name}"
        if is_exchange:
            delete = f"rabbitmqadmin delete exchange name={one.name}"
        mend = f"Let its messages be delivered, run `{delete}`, and start the sender and the worker again."
        yield Finding("Topology", f"the {kind} {one.name} was declared otherwise: {one.otherwise}", mend)
    elif not one.is_there:
        mend = "" if settings.DEVELOPMENT else f"{SENDER} and a worker: they declare what is missing."
        yield Finding("Topology", f"the {kind} {one.name} is not there yet", mend)
    else:
        yield Finding("Topology", f"the {kind} {one.name} is as it should be")


def _listened_to(what: str, queue: Standing, start: str) -> Finding:
    says = (
        f"{several(queue.messages, 'message waits', 'messages wait')}, "
        f"{several(queue.consumers, 'process listens', 'processes listen')}"
    )
    if not queue.consumers and (queue.messages or not settings.DEVELOPMENT):
        return Finding(what, says, f"{start}.")
    if queue.messages > CROWDED:
        return Finding(what, says, f"{start}: those there are do not keep up.")
    return Finding(what, says)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
