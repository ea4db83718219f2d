"""The live process: an ASGI application that holds many streams open, with no ORM in its loop.

A request first goes through Django as everywhere, middleware, sessions and all, in one of a few threads; so
there is one way to find out who somebody is and what they may see. If the view answers with a `Stream`, the
thread is let go and the loop serves the stream from the `Hub`; any other answer is sent as it is. When it is
announced that what a person may do has changed (`orgs.standing_news`), and now and then in any case, the same
request is asked again: whoever may not watch any more is cut off. News waits for the answer only where it was
announced; otherwise it goes on meanwhile, and those who came together are not asked together.

Streams end by themselves after some minutes, so that load spreads over processes and nothing leaks for ever;
the browser comes back. A process holds a bounded number of them, of one person's, and of those from one
address that nobody is signed in for; beyond, a page asks now and then instead.
"""

import asyncio
import logging
import random
import resource
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from uuid import UUID

from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse, HttpResponseBase
from django.urls import set_script_prefix

from notifications import counts
from notifications.live.hub import Hub, Watcher
from notifications.live.listener import listen
from notifications.live.streams import COME_BACK_AFTER, Stream, come_back_after

KEEP_ALIVE = 15.0  # seconds of silence after which a comment is sent
LIFE = (300.0, 600.0)  # seconds until a stream ends by itself, at random
ASK_AGAIN = 60.0  # seconds after which it is looked again whether the person may still watch
STUCK = 30.0  # seconds after which somebody who takes nothing is let go
RETRY_AFTER = 30  # seconds; told to whoever finds the process full
THREADS = 2  # each with a database connection: that ask, and that read
FILES_KEPT = 200  # descriptors for everything but streams

logger = logging.getLogger(__name__)


class Pages(BaseHandler):
    """Django's ordinary way from a request to a response, to be called in a thread."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()

    def answer(self, scope: dict) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        try:
            request = ASGIRequest(scope, BytesIO())
        except UnicodeDecodeError:
            response = HttpResponse("Bad request\n", status=400, content_type="text/plain")
        else:
            response = self.get_response(request)
        response.close()  # lets go of the database connection too
        return response


class LiveServer:
    def __init__(self) -> None:
        self._pages = Pages()
        self._asking = ThreadPoolExecutor(THREADS, thread_name_prefix="live asking")
        self._reading = ThreadPoolExecutor(THREADS, thread_name_prefix="live reading")  # never behind a crowd
        self._streams = 0  # open or about to be
        self._held: Counter[UUID | str] = Counter()  # of each person, and of each address without one
        self._most_streams = min(settings.LIVE_MOST_STREAMS, _open_files() - FILES_KEPT)
        counts.MOST_STREAMS.set(self._most_streams)
        self._listener: asyncio.Task | None = None

    async def __call__(self, scope, receive, send) -> None:
        match scope["type"]:
            case "http":
                await self._serve(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)

    def end_streams(self) -> None:
        """To be called in the loop before the server ends, so that it need not wait for streams."""
        if self._listener is not None:
            self.hub.end()

    def _end(self) -> None:
        self.end_streams()
        self._listener.cancel()
        for threads in (self._asking, self._reading):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _live(self, receive, send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._begin()
            else:
                self._end()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    def _begin(self) -> None:
        if self._listener is None:
            self.hub = Hub(self._reading)
            self._listener = asyncio.create_task(
                listen(self.hub, url=settings.LIVE_REDIS_URL, channel=settings.LIVE_CHANNEL)
            )

    async def _serve(self, scope, receive, send) -> None:
        self._begin()
        if scope["method"] not in ("GET", "HEAD"):
            await _send(HttpResponse("Nothing is done here.\n", status=405, content_type="text/plain"), send)
            return
        if self._streams >= self._most_streams:
            await _send(_full(), send)
            return
        self._streams += 1
        try:
            response = await self._answer(scope)
            if not isinstance(response, Stream):
                await _send(response, send)
            elif self._has_enough(response):
                await _send(_enough(), send)
            else:
                await self._stream(response, scope, receive, send)
        finally:
            self._streams -= 1

    async def _answer(self, scope) -> HttpResponseBase:
        return await asyncio.get_running_loop().run_in_executor(self._asking, self._pages.answer, scope)

    async def _stream(self, stream: Stream, scope, receive, send) -> None:
        watcher, holder = self.hub.watch(stream.topics, person_id=stream.person_id), _holder(stream)
        self._held[holder] += 1
        counts.STREAMS.inc()
        besides = [
            asyncio.create_task(_end_when_gone(watcher, receive)),
            asyncio.create_task(self._end_when_forbidden(watcher, stream, scope)),
        ]
        try:
            await _start(stream, send)
            await _body(come_back_after(*COME_BACK_AFTER), send)
            await self._show(watcher, stream, scope, send)
            await _body(b"", send, more=False)
        except (OSError, TimeoutError):
            logger.debug("Somebody who watched has gone.")
        finally:
            for task in besides:
                task.cancel()
            self.hub.leave(watcher)
            counts.STREAMS.dec()
            self._forget(holder)

    async def _show(self, watcher: Watcher, stream: Stream, scope, send) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + random.uniform(*LIFE)  # noqa: S311
        while clock() < ends:
            news = await watcher.news(within=KEEP_ALIVE)
            if watcher.is_doubted:
                watcher.is_doubted = False
                if not await self._may_still_watch(stream, scope):
                    return
            if watcher.is_over:
                return
            await _body(news or b":\n\n", send)

    async def _end_when_forbidden(self, watcher: Watcher, stream: Stream, scope) -> None:
        try:
            await asyncio.sleep(random.uniform(0, ASK_AGAIN))  # noqa: S311
            while await self._may_still_watch(stream, scope):
                await asyncio.sleep(ASK_AGAIN)
        finally:
            watcher.end()  # where it could not be asked, too

    def _has_enough(self, stream: Stream) -> bool:
        most = settings.LIVE_MOST_STREAMS_OF_A_PERSON
        if stream.person_id is None:
            most = settings.LIVE_MOST_STREAMS_OF_AN_ADDRESS
        return self._held[_holder(stream)] >= most

    def _forget(self, holder: UUID | str) -> None:
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]

    async def _may_still_watch(self, stream: Stream, scope) -> bool:
        response = await self._answer(scope)
        return isinstance(response, Stream) and response.person_id == stream.person_id


async def _end_when_gone(watcher: Watcher, receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    watcher.end()


def _holder(stream: Stream) -> UUID | str:
    return stream.person_id or stream.address


def _full() -> HttpResponse:
    return _not_now("Too many are watching at the moment.", status=503)


def _enough() -> HttpResponse:
    return _not_now(
        "Too many streams are open from where you are. Ask for the state now and then.", status=429
    )


def _not_now(words: str, *, status: int) -> HttpResponse:
    return HttpResponse(
        f"{words}\n",
        status=status,
        content_type="text/plain",
        headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"},
    )


async def _send(response: HttpResponse, send) -> None:
    await _start(response, send)
    await _body(response.content, send, more=False)


async def _start(response: HttpResponseBase, send) -> None:
    headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in response.items()]
    cookies = [(b"set-cookie", cookie.OutputString().encode()) for cookie in response.cookies.values()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers + cookies})


async def _body(chunk: bytes, send, *, more: bool = True) -> None:
    async with asyncio.timeout(STUCK):
        await send({"type": "http.response.body", "body": chunk, "more_body": more})


def _open_files() -> int:
    """How many files this process may have open, once the limit is as high as it needs to be."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.LIVE_MOST_STREAMS + FILES_KEPT
    if limit < wanted:
        limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    return limit
