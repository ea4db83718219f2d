"""Scratch databases beside the one that the settings name, made for a measurement and dropped after it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql


@contextmanager
def scratch(*names: str, migrated: bool = True) -> Iterator[None]:
    """Empty databases `names`, with the schema or without any, dropped at the end."""
    home = connection.settings_dict["NAME"]
    try:
        for name in names:
            _on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)
            _on_server(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"), name)
            use(name)
            if migrated:
                call_command("migrate", verbosity=0)
        yield
    finally:
        use(home)
        for name in names:
            _on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)


def use(name: str) -> None:
    """Point Django's connection at another database of the same server."""
    connection.close()
    connection.settings_dict["NAME"] = name


def _on_server(statement: sql.SQL, name: str) -> None:
    parameters = {**connection.get_connection_params(), "dbname": "postgres", "autocommit": True}
    parameters = {key: value for key, value in parameters.items() if key not in ("cursor_factory", "context")}
    with psycopg.connect(**parameters) as server:
        server.execute(statement.format(sql.Identifier(name)))
