"""`manage.py audit_permissions`: whether the database's roles may what they should, and no more.

manage.py audit_permissions                  says what is wrong and how to mend it; exits 1 if anything is
manage.py audit_permissions --sql | psql     makes the roles and grants them what they need
manage.py audit_permissions --apply          does so itself, as the role of DATABASE_URL
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from happening import database_roles
from happening.database_roles import Names


class Command(BaseCommand):
    help = "Check the database's roles, or make them: owner, runtime, reports."

    def add_arguments(self, parser):
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--sql", action="store_true", help="write the SQL, and change nothing")
        form.add_argument("--apply", action="store_true", help="run that SQL, all of it or nothing")
        form.add_argument("--json", action="store_true", help="one JSON object, for programs")
        for name, default in vars(Names()).items():
            parser.add_argument(f"--{name}", default=default, metavar="ROLE", help=f"({default})")

    def handle(self, *, owner, runtime, reports, **options):
        names = Names(owner, runtime, reports)
        if options["sql"]:
            self.stdout.writelines(f"{statement}\n" for statement in _statements(names))
            return
        if options["apply"]:
            _apply(names)
        found = list(database_roles.findings(names))
        if options["json"]:
            rows = [asdict(finding) for finding in found]
            self.stdout.write(json.dumps({"ok": not found, "findings": rows}, indent=2))
        else:
            for finding in found:
                self.stdout.write(f"{self.style.ERROR('WRONG')}  {finding.says}\n       {finding.mend}")
            self.stdout.write(f"{len(found)} to mend." if found else "Everybody may what they should.")
        if found:
            sys.exit(1)


def _statements(names: Names) -> Iterator[str]:
    for step in (database_roles.roles_sql, database_roles.ownership_sql, database_roles.grants_sql):
        yield from step(names)


def _apply(names: Names) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _statements(names):
            cursor.execute(statement)
