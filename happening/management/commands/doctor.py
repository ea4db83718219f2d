"""`manage.py doctor`: what is used, what is wrong, and how to mend it. Exits 1 when something is wrong."""

import json
import sys

from django.core.management import BaseCommand, CommandParser

from happening import doctor


class Command(BaseCommand):
    help = "Tell which services are used, what is wrong with them and how to mend it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *args, **options) -> None:
        found = list(doctor.findings())
        if options["json"]:
            self._as_json(found)
        else:
            self._as_text(found)
        if not all(finding.is_ok for finding in found):
            sys.exit(1)

    def _as_json(self, found: list[doctor.Finding]) -> None:
        rows = [
            {"what": one.what, "ok": one.is_ok, "says": one.says, "mend": one.mend or None} for one in found
        ]
        self.stdout.write(json.dumps({"ok": all(one.is_ok for one in found), "findings": rows}, indent=2))

    def _as_text(self, found: list[doctor.Finding]) -> None:
        for one in found:
            mark = self.style.SUCCESS("ok   ") if one.is_ok else self.style.ERROR("WRONG")
            self.stdout.write(f"{mark}  {one.what:<14} {one.says}")
            if one.mend:
                self.stdout.write(f"       {'':<14} {one.mend}")
        wrong = sum(not one.is_ok for one in found)
        self.stdout.write(f"{wrong} to mend." if wrong else "All is well.")
