"""`python -m benchmarks [SECTION]`: run one section, or all.

Without service URLs the embedded servers are used, on data of their own below `.data/bench`.
"""

import importlib
import os
import sys
from uuid import uuid4

from happening.embedded import environment
from happening.embedded.place import Place

SECTIONS = {
    "live": "5,000 live streams on one process: memory of each, and how soon all see a change",
    "pages": "the attendees' pages with 1,000 and with 1,000,000 events and bookings",
    "http": "a rush through the production server: pages, sessions, forms",
    "house": "choosing seats in a large house with gaps, promoting from a long line",
    "delivery": "the outbox to RabbitMQ, mail to a server, from commit to delivered",
    "adopting": "an original database with 1,000,000 bookings, improved while its program books",
    "alternatives": "other ways to book on one hot event, beside the one that was chosen",
    "rush": "bookings a second on one hot event and on a thousand",
}


def main() -> None:
    chosen = sys.argv[1:] or list(SECTIONS)
    if unknown := [name for name in chosen if name not in SECTIONS]:
        words = "\n".join(f"  {name}: {about}" for name, about in SECTIONS.items())
        sys.exit(f"There is no section {unknown[0]}. There are:\n{words}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
    lease = environment.provide(Place(environment.data_directory() / "bench"))
    # Before anything reads it: queues, channels and keys of this run's own, for its processes too.
    os.environ["HAPPENING_INSTANCE"] = f"bench-{uuid4().hex[:8]}"
    try:
        import django

        django.setup()
        for name in chosen:
            print(f"== {name}: {SECTIONS[name]}", flush=True)
            importlib.import_module(f"benchmarks.{name}").run()
    finally:
        if lease:
            lease.close()


if __name__ == "__main__":
    main()
