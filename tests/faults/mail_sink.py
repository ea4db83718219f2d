"""A mail server that takes what it is given, or does what mail servers do on bad days."""

import asyncio
import random
from collections import Counter
from email import message_from_bytes
from email.message import Message

from aiosmtpd.controller import Controller

from tests.faults.ports import HOST, free_port

ACCEPT, SLOW, REFUSE, STALL = "accept", "accept slowly", "refuse", "stall"
TEMPORARY, PERMANENT, CUT = "4xx", "5xx", "cut after 250"


class MailSink:
    """Set `mode` at any time; `mails` is what was taken, in the order in which it came. `SLOW` takes all that
    it is given, each only about `seconds` later, however long the sender waits; `STALL` takes nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mode = ACCEPT
        self.seconds = 0.0
        self.mails: list[Message] = []
        self.attempts = Counter()  # by mode
        self.in_hand = 0  # mails that are here whole and find no answer yet
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    def start(self) -> None:
        self._controller = Controller(self, hostname=HOST, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Whoever connects is refused, as with `REFUSE` before the greeting."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    def sent_to(self, address: str) -> list[Message]:
        return [mail for mail in self.mails if mail["X-Envelope-To"] == address]

    # What aiosmtpd calls

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.attempts[self.mode] += 1
        if self.mode == REFUSE:
            server.transport.abort()
            return "421 going away"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.mode == STALL:
            while self.mode == STALL:
                await asyncio.sleep(0.1)
            return "451 too late"
        if self.mode == TEMPORARY:
            return "451 try again later"
        if self.mode == PERMANENT:
            return "550 no such person"
        if self.mode == SLOW:
            self.in_hand += 1
            await asyncio.sleep(self.seconds * random.uniform(0.5, 1.5))
            self.in_hand -= 1
        mail = message_from_bytes(envelope.content)
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.mails.append(mail)
        if self.mode == CUT:
            # Taken, and the sender never hears of it: the one case in which a mail may come twice.
            server.transport.abort()
        return "250 OK"
