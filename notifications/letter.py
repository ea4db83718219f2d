"""A mail as it travels, its parts put together by hand.

For Django it is a mail like any other: every backend can send it, and it has words, alternatives and
attachments. Only the MIME around them is made here: all parts are text, so there is little to it, and the
library's general way costs more than everything else that is done for a mail. Plain ASCII travels as it is,
anything else as quoted-printable, which no server on the way needs to allow.
"""

from binascii import b2a_qp
from email.utils import formatdate
from functools import lru_cache

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import forbid_multi_line_headers

SAME_FOR_MANY = {"Subject", "From"}  # headers of all who are told of one event
LONGEST_LINE = 998  # octets, without its end (RFC 5322)


class Letter(EmailMultiAlternatives):
    """A mail whose alternatives and attachments are text.

    Args:
        mark: letters and digits that stand in no other mail's words; the parts are set apart by them.
    """

    def __init__(self, *, mark: str, **facts) -> None:
        super().__init__(**facts)
        self.mark = mark

    def message(self) -> "Ready":
        headers = {
            "Subject": self.subject,
            "From": self.from_email,
            "To": ", ".join(self.to),
            "Date": formatdate(),
            **self.extra_headers,
            "MIME-Version": "1.0",
        }
        lines = [(_kept if each in SAME_FOR_MANY else _header)(each, headers[each]) for each in headers]
        words = [("text/plain", self.body), *((each.mimetype, each.content) for each in self.alternatives)]
        whole = _together("alternative", [_part(*each) for each in words], f"=_1_{self.mark}")
        if self.attachments:
            files = [_part(each.mimetype, each.content, name=each.filename) for each in self.attachments]
            whole = _together("mixed", [whole, *files], f"=_0_{self.mark}")
        return Ready("\n".join([*lines, whole, ""]))


class Ready:
    """What a backend asks a message for: its octets."""

    def __init__(self, text: str) -> None:
        self._text = text

    def as_bytes(self, unixfrom: bool = False, policy: object = None, linesep: str = "\n") -> bytes:
        return self._text.replace("\n", linesep).encode("ascii")


def _header(name: str, words: str) -> str:
    return "{}: {}".format(*forbid_multi_line_headers(name, words, None))


_kept = lru_cache(maxsize=1_000)(_header)


def _part(kind: str, text: str, *, name: str = "") -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    is_plain = text.isascii() and max(map(len, text.split("\n"))) <= LONGEST_LINE
    disposition = f'\nContent-Disposition: attachment; filename="{name}"' if name else ""
    return (
        f'Content-Type: {kind}; charset="utf-8"\n'
        f"Content-Transfer-Encoding: {'7bit' if is_plain else 'quoted-printable'}{disposition}\n\n"
        f"{text if is_plain else b2a_qp(text.encode(), istext=True).decode()}\n"
    )


def _together(kind: str, parts: list[str], boundary: str) -> str:
    between = f"--{boundary}"
    inside = "".join(f"{between}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{inside}{between}--\n'
