"""`manage.py adopt_schema`: a database that the original schema.sql made, into today's."""

import json
import sys

import psycopg
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, IntegrityError

from happening import schema_export
from happening.adopting import census, improving, ledger, mending, report, shape
from happening.adopting.shape import Stage
from happening.postgres_programs import ProgramFailed
from orgs.crash_points import crash_point

WHAT_IT_IS = {
    Stage.EMPTY: "There are no tables of Happening in this database: `manage.py migrate` makes them.",
    Stage.FOREIGN: "This database was not made by schema.sql:",
    Stage.ORIGINAL: "This is a database of the original schema.",
    Stage.IMPROVED: "schema_improved.sql was run here; Django does not know it yet.",
    Stage.UNDER_WAY: "An adoption is under way here, or migrations are missing.",
    Stage.ADOPTED: "This database has today's schema.",
}


class Command(BaseCommand):
    help = (
        "Bring along a database made by the original schema.sql (docs/adopting.md). Alone: report which rows "
        "break which rule, and change nothing; exits 1 if any does. With --mend: mend what can be mended. "
        "With --improve: take the improved step while people go on booking. Both can be killed and begun "
        "again."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mend", action="store_true", help="mend rows that break a rule")
        parser.add_argument("--improve", action="store_true", help="take the improved step")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="the report as one JSON object")
        parser.add_argument("--patience", type=float, default=600, help="seconds to try for a lock (600)")
        parser.add_argument("--forget", action="store_true", help="drop the ledger of mends")

    def handle(self, *, mend, improve, forget, **options) -> None:
        self.options = options
        try:
            if forget:
                self._forget()
            elif mend or improve:
                with improving.alone():
                    self._adopt(mend=mend, improve=improve)
            else:
                self._report()
        except (
            improving.AlreadyRunning,
            improving.HeldTooLong,
            ProgramFailed,
            psycopg.Error,
            DatabaseError,
        ) as error:
            raise CommandError(_first_line(error)) from error

    def _report(self) -> None:
        found = shape.look()
        rows = report.broken() if found.stage not in (Stage.EMPTY, Stage.FOREIGN) else []
        is_ready = not rows and not found.lacking and found.stage not in (Stage.EMPTY, Stage.FOREIGN)
        if self.options["json"]:
            facts = {
                "ok": is_ready,
                "stage": found.stage,
                "differences": found.differences,
                "lacking": [str(part) for part in found.lacking],
                "rules": [one.as_facts() for one in rows],
            }
            self.stdout.write(json.dumps(facts, indent=2))
        else:
            self._tell(found, rows)
        if not is_ready:
            sys.exit(1)

    def _tell(self, found: shape.Shape, rows: list[report.Broken]) -> None:
        self.stdout.write(WHAT_IT_IS[found.stage])
        for line in found.differences:
            self.stdout.write(f"  {line}")
        for part in found.lacking:
            self.stdout.write(f"It lacks {part}")
        for one in rows:
            rule = one.rule
            ids = ", ".join(str(row) for row in one.first)
            self.stdout.write(
                f"{rule.name}: {one.count:,} of {rule.table}: {rule.what}.\n"
                f"    {ids}{' ...' if one.count > len(one.first) else ''}"
            )
            if rule.mend:
                self.stdout.write(f"    --mend: {rule.mends}.")
            if rule.by_hand:
                self.stdout.write(
                    f"    By hand{', where that does not help' if rule.mend else ''}: {rule.by_hand}"
                )
        if found.stage not in (Stage.EMPTY, Stage.FOREIGN):
            total = sum(one.count for one in rows)
            self.stdout.write(
                f"{len(rows)} rules are broken, {total:,} times." if rows else "Every row keeps every rule."
            )

    def _adopt(self, *, mend: bool, improve: bool) -> None:
        found = shape.look()
        if found.stage in (Stage.EMPTY, Stage.FOREIGN):
            self._tell(found, [])
            sys.exit(1)
        if found.stage == Stage.ADOPTED:
            self._catch_up()
            return
        if found.stage == Stage.IMPROVED:
            self._agree("Record all migrations as taken, and make Django's own tables?")
            improving.record_improved()
        rows = report.broken()
        if mend and (rows or found.lacking):
            self._tell(found, rows)
            self._agree("Mend these? Each mend is written into the schema `adoption` of this database.")
            census.count_before()
            mending.mend(tell=self.stdout.write)
            mending.restore(found.lacking, tell=self.stdout.write)
            rows, found = report.broken(), shape.look()
        if rows or found.lacking:
            self._tell(found, rows)
            if improve:
                self.stdout.write("The improved step is not begun before every row keeps every rule.")
            sys.exit(1)
        self.stdout.write("Every row keeps every rule.")
        if improve:
            self._agree("Take the improved step? People may go on booking.")
            self._improve(found, mend=mend)

    def _improve(self, found: shape.Shape, *, mend: bool) -> None:
        tell = self.stdout.write
        census.count_before()
        if found.stage == Stage.ORIGINAL:
            improving.record_original()
        try:
            improving.improve(
                mend=(lambda: mending.mend(tell=tell)) if mend else (lambda: 0),
                patience=self.options["patience"],
                tell=tell,
            )
        except IntegrityError as error:
            self._tell(shape.look(), report.broken())
            raise CommandError(
                f"Rows were written meanwhile that break a rule: {_first_line(error)}"
            ) from error
        self._conclude()

    def _conclude(self) -> None:
        crash_point("conclude")
        counts = census.compare()
        for count in counts:
            self.stdout.write(str(count))
        differences = self._differences()
        mends = ledger.mends()
        for rule, lines in mends.items():
            self.stdout.write(f"adoption.mends: {lines:,} of {rule}")
        lost = sum(count.lost for count in counts)
        if lost or differences:
            raise CommandError(
                f"{lost:,} rows are missing."
                if lost
                else "The schema is not what docs/schema makes, see above."
            )
        census.close()
        if mends:
            self.stdout.write("`adopt_schema --forget` drops the ledger when nobody needs it any more.")
        else:
            ledger.forget()
        schema = "" if differences is None else "the schema is what docs/schema makes, "
        self.stdout.write(f"Adopted: {schema}nothing is lost.")

    def _differences(self) -> list[str] | None:
        """None where nobody can say."""
        try:
            differences = schema_export.differences()
        except (ProgramFailed, psycopg.Error) as error:
            self.stdout.write(
                f"The schema could not be compared with docs/schema: {_first_line(error)}. "
                "`export_schema --check` does it, as a role that may make databases."
            )
            return None
        for line in differences:
            self.stdout.write(line)
        return differences

    def _catch_up(self) -> None:
        events = improving.catch_up()
        self.stdout.write(f"This database has today's schema. {events:,} events were counted anew.")
        if census.is_due():  # a run was killed at its very end
            improving.finish()
            self._conclude()

    def _forget(self) -> None:
        if not ledger.is_open():
            self.stdout.write("There is no ledger.")
            return
        if shape.look().stage != Stage.ADOPTED:
            raise CommandError("The adoption is not done; its ledger is needed.")
        self._agree(f"Drop the ledger of {sum(ledger.mends().values()):,} mends, with the rows as they were?")
        ledger.forget()
        self.stdout.write("The ledger is dropped.")

    def _agree(self, question: str) -> None:
        """Raises CommandError where the answer is no, or nobody is there to give one."""
        if self.options["yes"]:
            return
        if not sys.stdin.isatty():
            raise CommandError(f"{question} Nobody is here to answer; say --yes.")
        if input(f"{question} Type yes: ").strip().lower() != "yes":
            raise CommandError("Nothing was changed.")


def _first_line(error: Exception) -> str:
    """Without the rest, in which PostgreSQL shows people's data."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
