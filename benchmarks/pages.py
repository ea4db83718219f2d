"""The attendees' pages must not slow down as the platform grows: each page with much data, as a ratio to
the same page with little, in rounds that take turns."""

import re
import time
from html import unescape
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks import crowd, databases
from orgs.models import User

SMALL, LARGE = 1_000, 1_000_000
ROUNDS, REQUESTS = 7, 8
AT_MOST = 2.0


def run() -> None:
    names = {SMALL: "happening_bench_small", LARGE: "happening_bench_large"}
    with databases.scratch(*names.values()):
        pages, clients = {}, {}
        for size, name in names.items():
            databases.use(name)
            began = time.perf_counter()
            event, person = crowd.fill(size)
            print(f"{size:>9,} events and bookings made in {time.perf_counter() - began:.0f} s", flush=True)
            clients[size] = Client(headers={"host": "localhost"})
            clients[size].force_login(
                User.objects.get(pk=person), backend="allauth.account.auth_backends.AuthenticationBackend"
            )
            pages[size] = {
                "list, first page": "/events/",
                "list, hundredth page": _hundredth(clients[size]),
                "event": f"/events/{event}/",
                "my bookings": "/bookings/",
            }
        _measure(names, pages, clients)


def _measure(names: dict[int, str], pages: dict, clients: dict) -> None:
    took = {(size, page): [] for size in names for page in pages[size]}
    queries = {}
    for _ in range(ROUNDS):
        for size, name in names.items():
            databases.use(name)
            for page, url in pages[size].items():
                with CaptureQueriesContext(connection) as captured:
                    _get(clients[size], url)
                queries[page] = max(len(captured), queries.get(page, 0))
                for _ in range(REQUESTS):
                    began = time.perf_counter()
                    _get(clients[size], url)
                    took[size, page].append(time.perf_counter() - began)
    print(f"{'page':<22}{'queries':>8}{'small ms':>10}{'large ms':>10}{'ratio':>7}   (at most {AT_MOST})")
    for page in pages[SMALL]:
        small, large = (median(took[size, page]) * 1000 for size in (SMALL, LARGE))
        print(f"{page:<22}{queries[page]:>8}{small:>10.1f}{large:>10.1f}{large / small:>7.2f}")


def _hundredth(client: Client) -> str:
    """The list's page number 100, or its last, reached by the link "later" as a person would."""
    url = "/events/"
    for _ in range(99):
        link = re.search(r'rel="next" href="([^"]+)"', _get(client, url).content.decode())
        if link is None:
            break
        url = "/events/" + unescape(link[1])
    return url


def _get(client: Client, url: str):
    response = client.get(url)
    if response.status_code != 200:
        raise RuntimeError(f"{url} answered {response.status_code}")
    return response
