"""Pages that look the same to everybody who is not signed in: an event's page and the list.

Copies are answered before a session is looked for, so that a crowd in front of an event costs next to
nothing. Each process keeps its own for a second (`FRESH`), Redis for `settings.PUBLIC_PAGES_KEPT` seconds; so
far a count of seats may be behind. A view may say that its page `is_steady`: that is kept longer. Whatever
else changes an event says `forget`, and the page is made anew. A copy carries the mark that stood when its
making began: one that a change overtook is never taken for fresh.
"""

import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language_from_request

from orgs.breaker import Away
from orgs.redis_side import RedisSide

FRESH = 1.0  # seconds
STEADY = 60  # seconds that Redis keeps a page on which nothing changes but by a change of the event
PATIENCE = 1.0  # seconds that a visitor waits for the copy that another's request is making
MARKED = 3_600  # seconds that a mark stays: longer than any page takes to be made
MOST = 500  # copies in a process
LIST = "list"
_EVENT = re.compile(r"/events/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")

logger = logging.getLogger(__name__)
PAGES = RedisSide("cache")
_PAGE = f"page:{settings.CACHES['default']['KEY_PREFIX']}"


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
        logger.info("Copies of pages could not be dropped; they go by themselves in a few seconds.")


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
            seconds = STEADY if getattr(response, "is_steady", False) else settings.PUBLIC_PAGES_KEPT
            _store(key, mark, headers, response.content, seconds=seconds)
        else:
            self._copies.pop(key, None)
        return response

    def _keep(self, key: str, copy: tuple[float, dict, bytes]) -> tuple[float, dict, bytes]:
        self._copies[key] = kept = (monotonic() + FRESH, *copy[1:])
        while len(self._copies) > MOST:
            self._copies.popitem(last=False)
        return kept


def _subject(request: HttpRequest) -> str | None:
    """What page is asked for, if it is one that looks the same to everybody who asks like this."""
    if request.method != "GET" or request.META.get("QUERY_STRING"):
        return None
    if request.COOKIES.keys() - {settings.CSRF_COOKIE_NAME}:
        return None
    if request.path in ("/", "/events/"):
        return LIST
    found = _EVENT.fullmatch(request.path)
    return found[1] if found else None


def _key(request: HttpRequest) -> str:
    host, language = request.META.get("HTTP_HOST", ""), get_language_from_request(request)
    return f"{_PAGE}:{request.scheme}:{host}:{language}:{request.path}"


def _look_up(subject: str, key: str) -> tuple[tuple[float, dict, bytes] | None, str]:
    """The copy in Redis, if it is not older than the last change; and the mark of that change."""

    def ask(client):
        with client.pipeline(transaction=False) as pipe:
            pipe.get(_mark(subject))
            pipe.get(key)
            return pipe.execute()

    try:
        mark, written = PAGES.call(ask)
    except Away:
        return None, ""
    mark = (mark or b"0").decode()
    if written:
        of, headers, content = json.loads(written)
        if of == mark:
            return (0.0, headers, content.encode()), mark
    return None, mark


def _store(key: str, mark: str, headers: dict, content: bytes, *, seconds: int) -> None:
    if not mark:
        return  # Redis was away when the page was begun
    copy = json.dumps([mark, headers, content.decode()])
    try:
        PAGES.call(lambda client: client.set(key, copy, ex=seconds))
    except Away:
        logger.info("A page could not be kept for others.")


def _answer(copy: tuple[float, dict, bytes]) -> HttpResponse:
    _, headers, content = copy
    return HttpResponse(content, headers=headers)


def _mark(subject: UUID | str) -> str:
    return f"{_PAGE}:mark:{subject}"
