"""The archive on the timetable: off until HISTORY_ARCHIVE names a directory.

The worker's own role may not take lines out of the history. So this runs `manage.py archive_history` as a
process of its own, with HISTORY_DATABASE_URL, as the owner of the tables; where that is not set it runs as
the application does, and PostgreSQL refuses unless that is the owner. A process that is ended with its worker
loses nothing: each month is a transaction that goes on where it was cut off.
"""

import logging
import os
import subprocess
import sys

from django.conf import settings

SECONDS = 280  # less than a task may take; the next day's run goes on

logger = logging.getLogger(__name__)


class ArchiveFailed(Exception):
    """The command ended with an error, which this says."""


def run() -> None:
    """Archive what is old enough, if that is on.

    Raises:
        ArchiveFailed
    """
    if not settings.HISTORY_ARCHIVE:
        logger.info("The history stays whole: HISTORY_ARCHIVE names no directory for its old months.")
        return
    environment = {**os.environ, "HISTORY_ARCHIVE": settings.HISTORY_ARCHIVE}
    if settings.HISTORY_DATABASE_URL:
        environment["DATABASE_URL"] = settings.HISTORY_DATABASE_URL
        environment.pop("DATABASE_URL_FILE", None)  # which would win
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "archive_history"],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as slow:
        raise ArchiveFailed(f"It was not done after {SECONDS} s; the next run goes on.") from slow
    if done.returncode:
        raise ArchiveFailed(next(reversed(done.stderr.strip().splitlines()), "It ended without a word."))
    logger.info(next(reversed(done.stdout.strip().splitlines()), ""))
