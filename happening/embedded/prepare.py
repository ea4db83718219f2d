"""Brings the database up to date and fills it with demo data the first time: the first step of `make run`."""

import os
import sys

import django
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
    django.setup()
    executor = MigrationExecutor(connection)
    steps = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if steps:
        sys.stdout.write(f"Bringing the database up to date in {len(steps)} steps\n")
        call_command("migrate", interactive=False, verbosity=0)
    _fill_in_the_demo()


def _fill_in_the_demo() -> None:
    """The first time only; a demo that was interrupted is finished."""
    begun = settings.DATA_DIR / "demo.begun"
    if not begun.exists() and apps.get_model("orgs", "Organization").objects.exists():
        return
    sys.stdout.write("Filling in demo data\n")
    begun.touch()
    try:
        call_command("demo")
    except CommandError as refusal:
        sys.stdout.write(f"{refusal}\n")
    begun.unlink()


if __name__ == "__main__":
    main()
