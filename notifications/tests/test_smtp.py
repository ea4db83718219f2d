"""What is said to a mail server, and what each of its answers means: a server that answers as it is told."""

import smtplib
import socket
import socketserver
import threading
import time
from contextlib import suppress

import pytest

from notifications import smtp
from notifications.letter import Letter
from notifications.post import MailServerAway, NotNow, Post, Refused

GOOD = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken", "RSET": "250 ok"}
SILENCE = "..."


class Server(socketserver.ThreadingTCPServer):
    """`heard`: what came in at once, and the mail without its dots."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.talks = []
        self.offers, self.answers, self.heard, self.mails = ["SIZE"], dict(GOOD), [], []
        self.takes_seconds = {}  # by verb, for an answer

    def cut(self) -> None:
        """Every connection."""
        while self.talks:
            with suppress(OSError):  # closed already
                self.talks.pop().shutdown(socket.SHUT_RDWR)


class Talk(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.rest = b""
        self.server.talks.append(self.request)
        self.say("220 here")
        while line := self.line():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                words = ["here", *self.server.offers]
                self.say("\r\n".join([f"250-{each}" for each in words[:-1]] + [f"250 {words[-1]}"]))
                self.server.heard.clear()
                continue
            answer = self.server.answers.get(verb, "250 bye")
            if not self.answered(verb, answer) or answer.startswith("421"):
                return
            if answer.startswith("354"):
                mail = []
                while (line := self.line()) != ".":
                    mail.append(line.removeprefix("."))
                self.server.mails.append(mail)
                if not self.answered(".", self.server.answers["."]):
                    return

    def answered(self, verb: str, answer: str) -> bool:
        """SILENCE lasts as long as the client waits."""
        if answer == SILENCE:
            while self.request.recv(65_536):
                continue
            return False
        time.sleep(self.server.takes_seconds.get(verb, 0))
        if answer:
            self.say(answer)
        return bool(answer)

    def say(self, words: str) -> None:
        self.request.sendall(f"{words}\r\n".encode())

    def line(self) -> str:
        while b"\r\n" not in self.rest:
            if not (came := self.request.recv(65_536)):
                return ""
            self.server.heard.append(came.decode())
            self.rest += came
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line.decode()


@pytest.fixture
def server():
    with Server() as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield one
        one.shutdown()
        thread.join()


@pytest.fixture(params=["one by one", "together"])
def asked(request, server):
    """Both ways to ask."""
    if request.param == "together":
        server.offers.insert(0, "PIPELINING")
    return request.param


@pytest.fixture
def backend(server):
    one = smtp.EmailBackend(host="127.0.0.1", port=server.server_address[1], timeout=5)
    one.open()
    yield one
    one.close()


def letter(to="ada@example.test", body="Hello,\n.\n..come in.\n") -> Letter:
    return Letter(mark="a1", subject="Hi", from_email="Us <us@example.test>", body=body, to=[to])


class TestSendMessages:
    def test_says_who_writes_to_whom_and_the_mail(self, asked, server, backend):
        assert backend.send_messages([letter(), letter(to="bob@example.test")]) == 2
        said = "".join(server.heard)
        assert "MAIL FROM:<us@example.test> SIZE=" in said
        assert said.index("RCPT TO:<ada@example.test>\r\n") < said.index("RCPT TO:<bob@example.test>\r\n")
        assert all("Hello,\n.\n..come in.\n" in "\n".join(mail) for mail in server.mails)

    def test_asks_together_where_the_server_can(self, asked, server, backend):
        backend.send_messages([letter()])
        first = server.heard[0]
        assert first.startswith("MAIL")
        assert first.endswith("DATA\r\n") == (asked == "together")

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
    @pytest.mark.parametrize("code", [450, 550])
    def test_tells_what_is_refused_and_goes_on(self, asked, server, backend, verb, code):
        server.answers[verb] = f"{code} not this one"
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            backend.send_messages([letter()])
        assert (refused.value.smtp_code, refused.value.smtp_error) == (code, b"not this one")
        server.answers, server.mails = dict(GOOD), []
        assert backend.send_messages([letter()]) == 1
        assert len(server.mails) == 1

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
    def test_gives_no_mail_to_a_server_that_has_nobody_for_it(self, asked, server, backend, verb):
        """One that says "go on" all the same is given an empty one, as RFC 2920 has it, and refuses that."""
        server.answers |= {verb: "550 nobody", ".": "554 no recipients"}
        with pytest.raises(smtplib.SMTPResponseException, match="nobody"):
            backend.send_messages([letter()])
        assert server.mails == ([[]] if asked == "together" else [])

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
    def test_says_nothing_more_to_a_server_that_leaves(self, asked, server, backend, verb):
        server.answers[verb] = "421 closing"
        with pytest.raises(smtplib.SMTPResponseException, match="421"):
            backend.send_messages([letter()])
        with pytest.raises(smtplib.SMTPServerDisconnected):
            backend.send_messages([letter()])

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
    def test_knows_a_cut_connection(self, asked, server, backend, verb):
        server.answers[verb] = ""
        with pytest.raises(smtplib.SMTPServerDisconnected):
            backend.send_messages([letter()])
        assert server.mails == []

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
    def test_tells_a_silent_server_from_a_cut_connection(self, asked, server, backend, verb):
        backend.connection.sock.settimeout(0.3)
        server.answers[verb] = SILENCE
        with pytest.raises(TimeoutError):
            backend.send_messages([letter()])

    def test_gives_a_whole_mail_more_time(self, asked, server, backend):
        backend.connection.sock.settimeout(0.3)
        server.takes_seconds["."] = 0.6
        assert backend.send_messages([letter()]) == 1
        assert backend.connection.sock.gettimeout() == 0.3

    @pytest.mark.parametrize("answer", ["", SILENCE])
    def test_does_not_know_whether_a_whole_mail_was_taken_that_finds_no_answer(
        self, asked, server, backend, settings, answer
    ):
        settings.EMAIL_TAKING_TIMEOUT = 0.3
        server.answers["."] = answer
        with pytest.raises(smtp.Unanswered):
            backend.send_messages([letter()])
        assert len(server.mails) == 1


class TestPost:
    @pytest.fixture
    def post(self, server, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_TIMEOUT = 0.3
        one = Post()
        yield one
        one.close()

    @pytest.fixture
    def used(self, post, server):
        """One whose connection has carried a mail."""
        post.send(letter())
        server.mails.clear()
        return post

    def test_waits_for_a_server_that_takes_its_time_for_a_mail(self, used, server):
        server.takes_seconds["."] = 0.6
        used.send(letter())
        assert len(server.mails) == 1

    @pytest.mark.parametrize("answer", ["", SILENCE])
    def test_gives_a_mail_once_that_may_have_been_taken(self, used, server, settings, answer):
        settings.EMAIL_TAKING_TIMEOUT = 0.3
        server.answers["."] = answer
        with pytest.raises(NotNow, match="did not say whether it took the mail"):
            used.send(letter())
        assert len(server.mails) == 1

    def test_does_not_ask_a_silent_server_again_at_once(self, used, server):
        server.answers["MAIL"] = SILENCE
        with pytest.raises(NotNow, match="stopped answering"):
            used.send(letter())
        assert server.heard[-1].count("MAIL") == 1
        with pytest.raises(MailServerAway):
            used.send(letter())

    @pytest.mark.parametrize(
        ("verb", "answer"), [("MAIL", "550 not you"), ("MAIL", "530 log in"), ("RCPT", "530 log in")]
    )
    def test_holds_no_mail_to_blame_for_what_the_house_must_mend(self, post, server, verb, answer):
        server.answers[verb] = answer
        with pytest.raises(MailServerAway, match=answer[4:]):
            post.send(letter())

    @pytest.mark.parametrize(
        ("verb", "answer"), [("MAIL", "552 too large"), ("RCPT", "550 nobody"), (".", "554 spam")]
    )
    def test_believes_a_server_that_refuses_this_mail(self, post, server, verb, answer):
        server.answers[verb] = answer
        with pytest.raises(Refused, match=answer[4:]):
            post.send(letter())

    @pytest.mark.parametrize("farewell", ["250 ok", ""])
    def test_finds_another_connection_where_one_was_cut_after_a_refusal(self, post, server, farewell):
        server.answers |= {"RCPT": "451 later", "RSET": farewell}
        with pytest.raises(NotNow):
            post.send(letter())
        server.answers = dict(GOOD)
        server.cut()
        post.send(letter(to="bob@example.test"))
        assert len(server.mails) == 1


class TestAddress:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("ada@example.test", "ada@example.test"),
            ("o'neill+x@mail.example.test", "o'neill+x@mail.example.test"),
            ("Ada <ada@example.test>", "ada@example.test"),
            ("ada@example.test\n", "ada@example.test"),
            ('"ada lovelace"@example.test', '"ada lovelace"@example.test'),
            ("ada@žižka.example", "ada@xn--ika-b3ab.example"),
        ],
    )
    def test_stands_without_a_name_in_ascii(self, written, read):
        assert smtp.address(written) == read

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "ada@example.test\r\nRCPT TO:<bob@example.test>",
            "ada@example.test, bob@example.test",
            "ada@example.test> SIZE=1\r\nDATA",
        ],
    )
    def test_refuses_what_is_none(self, written):
        with pytest.raises(ValueError, match="Invalid address"):
            smtp.address(written)
