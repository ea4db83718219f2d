"""The yardsticks of telling people: bare pika with confirms in flight, and a bare smtplib loop."""

import smtplib
import time

import pika

from notifications.broker.connecting import parameters
from notifications.letter import Ready

WINDOW = 1_000  # messages in flight


class Publisher:
    """As many messages as asked for to one queue: persistent, mandatory, confirmed, many in flight."""

    def __init__(self, url: str, exchange: str, count: int) -> None:
        self.exchange, self.left, self.in_flight = exchange, count, 0
        self.connection = pika.SelectConnection(parameters(url), on_open_callback=self._opened)

    def run(self) -> float:
        """Messages a second, the connection's opening not counted."""
        self.connection.ioloop.start()
        return self.rate

    def _opened(self, connection) -> None:
        connection.channel(on_open_callback=self._ready)

    def _ready(self, channel) -> None:
        self.channel = channel
        channel.confirm_delivery(self._confirmed, callback=self._begin)

    def _begin(self, _frame) -> None:
        self.began, self.count, self.first = time.perf_counter(), self.left, 1
        self._publish()

    def _publish(self) -> None:
        """The same message as the relay's, size and properties."""
        row, kind = "0" * 36, "booking_confirmed"
        while self.left and self.in_flight < WINDOW:
            properties = pika.BasicProperties(
                content_type="text/plain", delivery_mode=2, message_id=row, type=kind
            )
            self.channel.basic_publish(self.exchange, kind, row.encode(), properties, mandatory=True)
            self.left -= 1
            self.in_flight += 1

    def _confirmed(self, frame) -> None:
        tag = frame.method.delivery_tag
        done = tag - self.first + 1 if frame.method.multiple else 1
        self.first = tag + 1
        self.in_flight -= done
        if not self.left and self.in_flight <= 0:
            self.rate = self.count / (time.perf_counter() - self.began)
            self.connection.close()
            self.connection.ioloop.stop()
        else:
            self._publish()


def mail_rate(port: int, mail: Ready, count: int) -> float:
    """Mails a second: one connection, one ready-made mail."""
    data = mail.as_bytes(linesep="\r\n")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.ehlo()
        began = time.perf_counter()
        for number in range(count):
            server.sendmail("hello@happening.test", [f"p{number}@load.test"], data)
        return count / (time.perf_counter() - began)
