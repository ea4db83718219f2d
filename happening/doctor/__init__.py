"""What `manage.py doctor` looks at: each look within its time, none in the way of the next.

A finding that is not well carries its mend: a command, SQL for the owner of the tables, or a sentence. A new
look joins LOOKS, which stand in the order in which things are best mended.
"""

from collections.abc import Iterator
from dataclasses import replace

from happening.doctor import (
    clocks,
    drift,
    guards,
    invariants,
    machine,
    mail,
    postgres,
    queues,
    redis_server,
    rights,
    sso,
    upkeep,
)
from happening.doctor.finding import Finding, State
from happening.doctor.look import MIGRATIONS, POSTGRESQL, RABBITMQ, REDIS, Look, examine

OF_THE_DATABASE = (
    Look(MIGRATIONS, postgres.migrations, needs=(POSTGRESQL,), seconds=30),
    Look("Guards", guards.look, needs=(POSTGRESQL, MIGRATIONS), seconds=30),
    *invariants.looks(invariants.HELD),
)
LOOKS = (
    Look("Python", machine.python),
    Look("Servers", machine.servers),
    Look("Disk", machine.disks),
    Look(POSTGRESQL, postgres.answers),
    Look("Settings of PostgreSQL", postgres.settings_of_the_session, needs=(POSTGRESQL,)),
    Look("Connections", postgres.connections, needs=(POSTGRESQL,)),
    Look("Disk of PostgreSQL", machine.database_disk, needs=(POSTGRESQL,)),
    Look("Clock", clocks.of_postgres, needs=(POSTGRESQL,)),
    Look("Rights", rights.look, needs=(POSTGRESQL,), seconds=30),
    *OF_THE_DATABASE,
    *invariants.looks(invariants.KEPT),
    Look(REDIS, redis_server.answers),
    Look("Clock of Redis", clocks.of_redis, needs=(REDIS,)),
    Look("Drift", drift.look, needs=(POSTGRESQL, MIGRATIONS, REDIS), seconds=60),
    Look("Counters", drift.counters, needs=(REDIS,)),
    Look(RABBITMQ, queues.answers),
    Look("Topology", queues.topology, needs=(RABBITMQ,), seconds=20),
    Look("Celery's queue", queues.of_celery, needs=(RABBITMQ,), seconds=20),
    Look("Jobs", upkeep.jobs, needs=(POSTGRESQL, MIGRATIONS)),
    Look("Messages", upkeep.messages, needs=(POSTGRESQL, MIGRATIONS)),
    Look("Account mail", upkeep.account_mail, needs=(POSTGRESQL, MIGRATIONS)),
    Look("History", upkeep.history, needs=(POSTGRESQL, MIGRATIONS)),
    Look("Mail", mail.look, seconds=20),
    Look("Single sign-on", sso.look, seconds=20),
)

__all__ = ["LOOKS", "Finding", "State", "findings", "findings_of_the_database"]


def findings(*, patience: float | None = None) -> Iterator[Finding]:
    """What each look finds, as it is found. `patience`: seconds that any of them may take at most."""
    bounded = LOOKS if patience is None else (_within(look, patience) for look in LOOKS)
    yield from examine(bounded)


def findings_of_the_database(*, patience: float) -> Iterator[Finding]:
    """What the looks at its schema and rows find, each within `patience` seconds, which may be many."""
    yield from examine(replace(look, seconds=patience) for look in OF_THE_DATABASE)


def _within(look: Look, patience: float) -> Look:
    return replace(look, seconds=min(look.seconds, patience))
