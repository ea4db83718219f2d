"""Pages that look the same to everybody who is not signed in: an event's page and the list.

Copies are answered before a session is looked for, so that a crowd in front of an event costs next to
nothing. Each process keeps its own for a second (`FRESH`), Redis for `settings.PUBLIC_PAGES_KEPT` seconds; so
far a count of seats may be behind. Whatever else changes an event says `forget`, and the page is made anew. A
copy carries the mark that stood when its making began: one that a change overtook is never taken for fresh.

A page may stand longer: a view that says with a `stamp` what its page was made of (`stands`) has it kept for
as long as somebody who knows the event vouches for just that stamp (`vouch`), so that no visitor asks
PostgreSQL whether a sold-out event still is. Nobody vouches for long: without them it ages like any other.
"""

import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic, time
from uuid import UUID

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request

from events.release import release
from orgs.breaker import Away
from orgs.redis_side import RedisSide

FRESH = 1.0  # seconds
STANDS = 86_400  # seconds that Redis keeps a page that somebody may vouch for
VOUCHED = 90  # seconds that a word for a page counts
PATIENCE = 1.0  # seconds that a visitor waits for the copy that another's request is making
MARKED = 2 * STANDS  # seconds that a mark stays: longer than any page made before it
MOST = 500  # copies in a process
LIST = "list"
_EVENT = re.compile(r"/events/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")
_PERSONAL = frozenset({settings.SESSION_COOKIE_NAME, CookieStorage.cookie_name})

logger = logging.getLogger(__name__)
PAGES = RedisSide("cache")
_PAGE = f"page:{settings.CACHES['default']['KEY_PREFIX']}"
_STANDING = f"{_PAGE}:standing"  # events of whose pages somebody may vouch


def stands(response: HttpResponse, *, stamp: str, until: datetime) -> None:
    """Let this page be kept while somebody vouches for `stamp`, which names all that it was made of, but not
    beyond `until`, when the hour alone will change it."""
    response.stands = stamp, until


def standing() -> set[UUID]:
    """The events of which pages wait for a word.

    Raises:
        Away: of `orgs.breaker`.
    """
    return {UUID(each.decode()) for each in PAGES.call(lambda client: client.smembers(_STANDING))}


def vouch(stamps: dict[UUID, str], *, stand_no_more: Iterable[UUID] = ()) -> None:
    """Pages of these events are true if they were made of just this; those of others no longer stand.

    Raises:
        Away: of `orgs.breaker`.
    """
    gone = list(stand_no_more)

    def ask(client):
        with client.pipeline(transaction=False) as pipe:
            for event_id, stamp in stamps.items():
                pipe.set(_word(event_id), stamp, ex=VOUCHED)
            if gone:
                pipe.delete(*map(_word, gone))
                pipe.srem(_STANDING, *map(str, gone))
            pipe.execute()

    PAGES.call(ask)


def forget(*subjects: UUID | str) -> None:
    """Have the pages of these events, or of the LIST, made anew."""

    def ask(client):
        with client.pipeline(transaction=False) as pipe:
            for subject in subjects:
                pipe.incr(_mark(subject))
                pipe.expire(_mark(subject), MARKED)
            pipe.execute()

    try:
        PAGES.call(ask)
    except Away:
        logger.info("Copies of pages could not be dropped; without a word for them they go by themselves.")


class PublicPages:
    """Middleware, outside of sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        if not settings.PUBLIC_PAGES_KEPT:
            raise MiddlewareNotUsed
        self._get_response = get_response
        self._copies: OrderedDict[str, tuple[float, dict, bytes]] = OrderedDict()
        self._making: dict[str, threading.Lock] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        subject = _subject(request)
        if subject is None:
            return self._get_response(request)
        key = _key(request)
        copy = self._copies.get(key)
        if copy and monotonic() < copy[0]:
            return _answer(copy)
        if copy:
            self._keep(key, copy)  # whoever comes meanwhile has it a moment longer; one renewing it is enough
            return self._made(request, subject, key)
        lock = self._making.setdefault(key, threading.Lock())
        is_first = lock.acquire(timeout=PATIENCE)
        try:
            copy = self._copies.get(key)  # perhaps another request has made it meanwhile
            return _answer(copy) if copy else self._made(request, subject, key)
        finally:
            if is_first:
                lock.release()
                self._making.pop(key, None)

    def _made(self, request: HttpRequest, subject: str, key: str) -> HttpResponse:
        """From Redis, or else anew."""
        kept, mark = _look_up(subject, key)
        if kept:
            return _answer(self._keep(key, kept))
        response = self._get_response(request)
        if response.status_code == 200 and not response.streaming and not response.cookies:
            headers = dict(response.items())
            self._keep(key, (0.0, headers, response.content))
            _store(subject, key, mark, headers, response)
        else:
            self._copies.pop(key, None)
        return response

    def _keep(self, key: str, copy: tuple[float, dict, bytes]) -> tuple[float, dict, bytes]:
        self._copies[key] = kept = (monotonic() + FRESH, *copy[1:])
        while len(self._copies) > MOST:
            self._copies.popitem(last=False)
        return kept


def _subject(request: HttpRequest) -> str | None:
    """What page is asked for, if it is one that looks the same to everybody who asks like this. What stands
    behind the address of an event's page changes nothing for strangers: it says where they come from."""
    if request.method != "GET" or not _PERSONAL.isdisjoint(request.COOKIES):
        return None
    if found := _EVENT.fullmatch(request.path):
        return found[1]
    return LIST if request.path in ("/", "/events/") and not request.META.get("QUERY_STRING") else None


def _key(request: HttpRequest) -> str:
    host, language = request.META.get("HTTP_HOST", ""), get_language_from_request(request)
    return f"{_PAGE}:{release()}:{request.scheme}:{host}:{language}:{request.path}"


def _look_up(subject: str, key: str) -> tuple[tuple[float, dict, bytes] | None, str]:
    """The copy in Redis, if it is not older than the last change and fresh, or vouched for; and the mark of
    that change."""

    def ask(client):
        with client.pipeline(transaction=False) as pipe:
            pipe.get(_mark(subject))
            pipe.get(_word(subject))
            pipe.get(key)
            return pipe.execute()

    try:
        mark, word, written = PAGES.call(ask)
    except Away:
        return None, ""
    mark, word = (mark or b"0").decode(), (word or b"").decode()
    if written:
        of, fresh_until, stamp, headers, content = json.loads(written)
        if of == mark and (time() < fresh_until or (stamp and stamp == word)):
            return (0.0, headers, content.encode()), mark
    return None, mark


def _store(subject: str, key: str, mark: str, headers: dict, response: HttpResponse) -> None:
    if not mark:
        return  # Redis was away when the page was begun
    stamp, until = getattr(response, "stands", ("", None))
    kept = settings.PUBLIC_PAGES_KEPT
    seconds = max(kept, min(STANDS, int(until.timestamp() - time()))) if stamp else kept
    copy = json.dumps([mark, time() + kept, stamp, headers, response.content.decode()])

    def ask(client):
        with client.pipeline(transaction=False) as pipe:
            pipe.set(key, copy, ex=seconds)
            if stamp:
                pipe.sadd(_STANDING, subject)
            pipe.execute()

    try:
        PAGES.call(ask)
    except Away:
        logger.info("A page could not be kept for others.")


def _answer(copy: tuple[float, dict, bytes]) -> HttpResponse:
    _, headers, content = copy
    return HttpResponse(content, headers=headers)


def _mark(subject: UUID | str) -> str:
    return f"{_PAGE}:mark:{subject}"


def _word(subject: UUID | str) -> str:
    return f"{_PAGE}:word:{subject}"
