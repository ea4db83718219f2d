"""A browser at the proxy: over TLS, by the site's own name, with cookies, and a stream that comes back."""

import http.client
import json
import re
import ssl
import threading
import time
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

TIMEOUT = 15.0
REJOIN = 4.0  # seconds; static/js/live.js takes 2 to 4 where the proxy says that nobody is there


class Visitor:
    def __init__(self, site: str, certificate: Path, *, session: str | None = None) -> None:
        self.site = urlsplit(site)
        self.tls = ssl.create_default_context(cafile=str(certificate))
        self.cookies = {"__Host-sessionid": session} if session else {}

    def get(self, path: str) -> "Answer":
        return self._request("GET", path)

    def post(self, path: str, **fields) -> "Answer":
        fields |= {"csrfmiddlewaretoken": self.cookies["__Host-csrftoken"]}
        return self._request("POST", path, urlencode(fields))

    def sign_in(self, email: str, password: str) -> "Answer":
        self.get("/accounts/login/")
        return self.post("/accounts/login/", login=email, password=password)

    def form(self, event: str, *, seats: int = 1) -> dict:
        """The form of the event's page, to be sent as often as it takes. Raises HTTPException."""
        page = self.get(f"/events/{event}/")
        if page.status != 200:
            raise http.client.HTTPException(f"{page.status} instead of the event's page")
        return {"seats": seats, "idempotency_key": page.hidden("idempotency_key")}

    def send(self, event: str, form: dict) -> "Answer":
        return self.post(f"/events/{event}/book/", **form)

    def book(self, event: str, *, seats: int = 1) -> "Answer":
        return self.send(event, self.form(event, seats=seats))

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self.site.hostname, self.site.port, timeout=TIMEOUT, context=self.tls
        )

    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _request(self, method: str, path: str, body: str | None = None) -> "Answer":
        headers = self.headers()
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"https://{self.site.netloc}",
                "Referer": f"https://{self.site.netloc}{path}",
            }
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read().decode(errors="replace"))
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(cookie).items():
                self.cookies[name] = morsel.value
        return answer


class Answer:
    def __init__(self, status: int, headers, text: str) -> None:
        self.status, self.headers, self.text = status, headers, text

    @property
    def location(self) -> str:
        return urlsplit(self.headers.get("Location", "")).path

    def hidden(self, name: str) -> str:
        """A hidden field of the first form that has it."""
        return re.search(rf'name="{name}" value="([^"]+)"', self.text)[1]


class Onlooker(threading.Thread):
    """Has an event's page open: `left` is what it last heard. Comes back when its stream ends, after as long
    as the server asked for, or, where nobody was there, as the page's script does."""

    def __init__(self, visitor: Visitor, event: str) -> None:
        super().__init__(daemon=True)
        self.visitor, self.path = visitor, f"/live/events/{event}/"
        self.left: int | None = None
        self.streams = 0
        self._is_over = False
        self._pause = REJOIN

    def run(self) -> None:
        while not self._is_over:
            try:
                was_there = self._watch()
            except (OSError, http.client.HTTPException):
                was_there = True
            time.sleep(self._pause if was_there else REJOIN)

    def end(self) -> None:
        self._is_over = True

    def _watch(self) -> bool:
        connection = self.visitor.connect()
        try:
            connection.request("GET", self.path, headers=self.visitor.headers())
            stream = connection.getresponse()
            if stream.status != 200:
                return False
            self.streams += 1
            while not self._is_over and (line := stream.readline()):
                if line.startswith(b"retry:"):
                    self._pause = int(line[6:]) / 1_000
                if line.startswith(b"data:"):
                    self.left = json.loads(line[5:])["left"]
        finally:
            connection.close()
        return True
