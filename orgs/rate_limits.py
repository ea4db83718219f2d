"""How often a person, and an address, may ask: counted in Redis over all processes.

`settings.RATE_LIMITS` names each limit and says how many requests in how many seconds, for a person and for
an address. While Redis is away reading is not limited, and what writes is limited by each process for itself.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orgs.breaker import Away
from orgs.client_address import address_of
from orgs.kept_form import kept_form
from orgs.redis_side import RedisSide, Script

RATE = Script(Path(__file__).parent / "lua" / "rate.lua")
REMEMBERED = 10_000  # people and addresses, by a process that counts for itself
LIMITS = RedisSide("cache")
PREFIX = f"limit:{settings.CACHES['default']['KEY_PREFIX']}"


def limited(name: str, *, methods: tuple[str, ...] = ("POST",)) -> Callable:
    """A view that answers 429 to who asks too often; `name` is a key of `settings.RATE_LIMITS`."""

    def limiting(view):
        @wraps(view)
        def counted(request, *arguments, **named):
            if request.method in methods and (wait := seconds_to_wait(request, name)):
                return too_many(request, wait)
            return view(request, *arguments, **named)

        return counted

    return limiting


def seconds_to_wait(request: HttpRequest, name: str) -> int:
    """0 if the request may go on, and is counted; else after how many seconds it may come again."""
    rates = _rates(request, name)
    try:
        arguments = [number for cost, ahead in rates.values() for number in (cost, ahead)]
        wait = LIMITS.run(RATE, list(rates), arguments)
    except Away:
        wait = 0 if request.method in ("GET", "HEAD") else _OWN.wait(rates)
    return math.ceil(wait / 1_000)


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    response = render(request, "429.html", {"seconds": seconds, "kept": kept_form(request)}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _rates(request: HttpRequest, name: str) -> dict[str, tuple[float, float]]:
    """For each key that counts this request: what it costs and how far ahead may be used, in milliseconds.

    The person's id comes from the session; nobody's row is read for it.
    """
    rates = {}
    for kind, (times, seconds) in settings.RATE_LIMITS[name].items():
        who = address_of(request) if kind == "address" else request.session.get(SESSION_KEY)
        if who:
            rates[f"{PREFIX}:{name}:{kind}:{who}"] = (seconds * 1_000 / times, seconds * 1_000)
    return rates


class _OwnCount:
    """The same count in this process alone, for as long as Redis is away."""

    def __init__(self):
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def wait(self, rates: dict[str, tuple[float, float]]) -> float:
        now = monotonic() * 1_000
        with self._lock:
            charged = {key: max(self._until.get(key, 0), now) + cost for key, (cost, _) in rates.items()}
            for key, (_, ahead) in rates.items():
                if charged[key] - now > ahead:
                    return charged[key] - now - ahead
            self._until |= charged
            while len(self._until) > REMEMBERED:
                self._until.popitem(last=False)
        return 0


_OWN = _OwnCount()
