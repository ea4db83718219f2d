#!/usr/bin/env python
"""Django's command line, with servers at hand: see `happening.embedded`."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
    from happening.embedded.environment import provide_for

    provide_for(sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
