"""Texts that are safe to show: no markup, no control characters, no direction marks, of bounded length."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nh3

TITLE, DESCRIPTION, PLACE, ADDRESS = 200, 10_000, 300, 500
LONGEST_READ = 200_000  # of a text before it is cleaned
TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(\s[^<>]*)?/?>|<!--|<![a-zA-Z]|<\?")
KEPT = {
    "a",
    "br",
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
}
NO_TEXT = {"script", "style", "title", "head", "template", "noscript", "iframe"}
UNSEEN = re.compile(  # control characters and marks that turn the direction of what follows
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)


def title(text: str) -> str:
    return _cut(" ".join(UNSEEN.sub(" ", text[:LONGEST_READ]).split()), TITLE) or "Untitled"


def place(text: str) -> str:
    lines = [line.strip(" ,") for line in plain(text).splitlines()]
    return _cut(", ".join(line for line in lines if line), PLACE)


def description(text: str) -> str:
    return _cut(plain(text), DESCRIPTION)


def plain(text: str) -> str:
    """`text` without markup; where it is HTML, with its line breaks and the targets of its links as text.

    Escaped markup comes out as markup again, so it is cleaned until there is none.
    """
    text = text[:LONGEST_READ].replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n")
    for _ in range(5):
        if not TAG.search(text):
            break
        text = _without_markup(text)
    else:
        text = TAG.sub(" ", text)
    lines = [" ".join(line.split()) for line in UNSEEN.sub("", text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def web_address(text: str) -> str | None:
    """`text` if it is the http(s) address of something, else None."""
    text = text.strip()
    if len(text) > ADDRESS or re.search(r"[\s<>\"'\\^`{}|\x00-\x1f\x7f]", text):
        return None
    try:
        parts = urlsplit(text)
        hostname, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return text if parts.scheme.lower() in ("http", "https") and hostname and not parts.username else None


def _without_markup(html: str) -> str:
    safe = nh3.clean(
        html,
        tags=KEPT,
        clean_content_tags=NO_TEXT,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
    writer = _Writer()
    writer.feed(safe)
    writer.close()
    return "".join(writer.parts)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


class _Writer(HTMLParser):
    """Writes clean HTML as text. The HTML's own line breaks mean nothing, except in `pre`."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.link: tuple[str, int] | None = None
        self.is_preformatted = False

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.link = (dict(attrs).get("href") or "", len(self.parts))
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "br":
            self.parts.append("\n")
        elif tag in ("p", "blockquote", "pre") or tag.startswith("h"):
            self.parts.append("\n\n")
        else:
            self.parts.append("\n")
        self.is_preformatted = self.is_preformatted or tag == "pre"

    def handle_endtag(self, tag):
        if tag == "a":
            self._close_link()
        elif tag == "p" or tag.startswith("h"):
            self.parts.append("\n\n")
        elif tag in ("div", "ul", "ol", "pre", "blockquote"):
            self.parts.append("\n")
        self.is_preformatted = self.is_preformatted and tag != "pre"

    def handle_data(self, data):
        self.parts.append(data if self.is_preformatted else re.sub(r"\s+", " ", data))

    def _close_link(self):
        target, begun = self.link or ("", 0)
        words = "".join(self.parts[begun:]).strip()
        address = target.removeprefix("mailto:").removeprefix("tel:")
        if address and address.rstrip("/") != words.rstrip("/"):
            self.parts.append(f" ({address})" if words else address)
        self.link = None
