"""Words for the person at the terminal: each line with the name of the process that says it."""

import os
import sys
from datetime import datetime
from typing import TextIO

COLOURS = {"web": 36, "worker": 33, "beat": 35, "sender": 32, "setup": 34}
WIDTH = 7


class Terminal:
    def __init__(self, output: TextIO | None = None) -> None:
        self.output = output or sys.stdout
        self.is_gone = False
        self.coloured = self.output.isatty() and not os.environ.get("NO_COLOR")

    def say(self, text: str = "") -> None:
        """A line, or several, from `make run` itself."""
        self._write(f"{text}\n")

    def relay(self, name: str, line: str) -> None:
        """A line that the process `name` wrote."""
        prefix = f"{datetime.now():%H:%M:%S} {name.ljust(WIDTH)}|"
        if self.coloured:
            prefix = f"\033[{COLOURS.get(name, 37)}m{prefix}\033[0m"
        self._write(f"{prefix} {line}\n")

    def _write(self, text: str) -> None:
        if self.is_gone:
            return
        try:
            self.output.write(text)
            self.output.flush()
        except OSError:  # the terminal or the pipe was closed; there is nobody left to tell
            self.is_gone = True
