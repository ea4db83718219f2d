"""`manage.py doctor`: what is used, what is wrong, and how to mend it.

Exits 0 when all is well, 1 when something is wrong, 2 when nothing is but something could not be looked at.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable

from django.core.management import BaseCommand, CommandParser

from happening import doctor
from happening.doctor import State, guards
from happening.doctor.finding import as_facts

WIDTH = 15  # of the names
MARKS = {State.OK: "ok     ", State.WRONG: "WRONG  ", State.UNKNOWN: "UNKNOWN"}


class Command(BaseCommand):
    help = (
        "Tell which services are used, what is wrong with them and how to mend it. Exits 0 when all is well, "
        "1 when something is wrong, 2 when something could not be looked at."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
        parser.add_argument(
            "--patience", type=float, metavar="SECONDS", help="for each look, where it would have more"
        )
        parser.add_argument("--brief", action="store_true", help="only what is not well")
        parser.add_argument(
            "--write-guards",
            action="store_true",
            help="after a change of migrations: take the guards of this freshly migrated database as those "
            "that there must be (happening/doctor/guards.json)",
        )

    def handle(self, *args, **options) -> None:
        if options["write_guards"]:
            guards.write()
            self.stdout.write(f"{guards.FILE} holds the guards of the database that is used.")
            return
        findings = doctor.findings(patience=options["patience"])
        if options["json"]:
            found = list(findings)
            self.stdout.write(json.dumps({"ok": not exit_code(found), "findings": as_facts(found)}, indent=2))
        else:
            found = self._tell(findings, is_brief=options["brief"])
        if code := exit_code(found):
            sys.exit(code)

    def _tell(self, findings: Iterable[doctor.Finding], *, is_brief: bool) -> list[doctor.Finding]:
        """Each as soon as it is found."""
        styles = {
            State.OK: self.style.SUCCESS,
            State.WRONG: self.style.ERROR,
            State.UNKNOWN: self.style.WARNING,
        }
        found = []
        for one in findings:
            found.append(one)
            if is_brief and one.is_ok:
                continue
            self.stdout.write(f"{styles[one.state](MARKS[one.state])}  {one.what:<{WIDTH}} {one.says}")
            if one.mend:
                self.stdout.write(f"{'':9}{'':<{WIDTH}} -> {one.mend}")
        counts = Counter(one.state for one in found)
        words = {State.WRONG: "to mend", State.UNKNOWN: "could not be looked at"}
        told = [f"{counts[state]} {word}" for state, word in words.items() if counts[state]]
        self.stdout.write(f"{', '.join(told)}." if told else "All is well.")
        return found


def exit_code(found: list[doctor.Finding]) -> int:
    states = {one.state for one in found}
    if State.WRONG in states:
        return 1
    return 2 if State.UNKNOWN in states else 0
