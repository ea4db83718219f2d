"""What a mail program makes of a letter whose parts were put together by hand."""

from email import message_from_bytes, policy

import pytest
from django.core.mail import BadHeaderError

from notifications.letter import LONGEST_LINE, Letter


def letter(subject="Hello", body="Hello,\n\ncome in.\n", **facts) -> Letter:
    return Letter(mark="a1b2", subject=subject, body=body, to=["ada@example.test"], **facts)


def words_of(part) -> str:
    return part.get_content().replace("\r\n", "\n")


def octets(written: Letter) -> bytes:
    return written.message().as_bytes(linesep="\r\n")


def read(written: Letter):
    message = message_from_bytes(octets(written), policy=policy.default)
    assert [each for part in message.walk() for each in part.defects] == []
    return message


class TestLetter:
    @pytest.mark.parametrize(
        "words", ["Plain.", "Žižka · 東京 🎭", "= a = b\t \nlast ", ".\n..\nFrom me", "x" * 2_000]
    )
    def test_is_read_as_it_was_written(self, words):
        written = letter(subject="Words", body=f"{words}\n")
        written.attach_alternative(f"<p>{words}</p>", "text/html")
        written.attach("a.txt", words, "text/calendar; method=REQUEST")
        message = read(written)
        assert words_of(message.get_body(["plain"])) == f"{words}\n"
        assert words_of(message.get_body(["html"])) == f"<p>{words}</p>\n"
        [file] = message.iter_attachments()
        assert (file.get_filename(), words_of(file)) == ("a.txt", f"{words}\n")

    @pytest.mark.parametrize("subject", ["Plain", "Žižka · 東京 🎭" * 8, "Word " * 39 + "end"])
    def test_has_the_subject_that_was_written(self, subject):
        assert read(letter(subject=subject))["Subject"] == subject

    def test_travels_in_lines_that_every_server_takes(self):
        lines = octets(letter(subject="Ž" * 200, body="ž" * 5_000 + "x" * 5_000)).split(b"\r\n")
        assert max(map(len, lines)) <= LONGEST_LINE
        assert all(line.isascii() and b"\n" not in line and b"\r" not in line for line in lines)

    @pytest.mark.parametrize("break_", ["\n", "\r", "\r\n"])
    def test_refuses_a_line_break_in_a_header(self, break_):
        for facts in (
            {"subject": f"Hello{break_}Bcc: x@y.test"},
            {"headers": {"X": f"a{break_}Bcc: x@y.test"}},
        ):
            with pytest.raises(BadHeaderError):
                letter(**facts).message()
