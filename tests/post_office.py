"""A mail server of a test's own, on a port of its own: it keeps what it takes, and answers as it is told."""

from aiosmtpd.controller import Controller

TAKEN = "250 OK"


class _Controller(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]  # whichever was free
        super()._trigger_server()


class PostOffice:
    """`at_recipient` and `at_text` are its answers to RCPT and to the text; `taken` are the mails it took."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.connections = 0
        self.at_recipient = self.at_text = TAKEN
        self._controller = _Controller(self, hostname="127.0.0.1", port=0)

    def __enter__(self) -> "PostOffice":
        self._controller.start()
        self.port = self._controller.port
        return self

    def __exit__(self, *_) -> None:
        self._controller.stop()

    # What aiosmtpd asks

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.at_recipient == TAKEN:
            envelope.rcpt_tos.append(address)
        return self.at_recipient

    async def handle_DATA(self, server, session, envelope):
        if self.at_text == TAKEN:
            self.taken.append(envelope.content.decode())
        return self.at_text
