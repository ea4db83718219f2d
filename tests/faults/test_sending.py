"""The sender's way to the mail server: slow mails in hand while something else has a bad day."""

import signal

import pytest

from notifications.broker import Topology
from tests.faults import mail_sink as smtp
from tests.faults.outbox import Owed, let_time_pass, put_right, wait_until
from tests.faults.test_telling import MAILS_IN_HAND

COUNT = 40
TIMEOUT, SLOWLY = 1, 3.0  # seconds: for an answer, and what the mail server takes for a mail


@pytest.fixture
def house(house, mail_sink):
    """With a mail server that is slow to take a mail."""
    house.env |= {"EMAIL_TIMEOUT": str(TIMEOUT), "EMAIL_TAKING_TIMEOUT": "60"}
    mail_sink.mode, mail_sink.seconds = smtp.SLOW, SLOWLY
    return house


@pytest.fixture
def sender(house):
    """With worker and beat beside it."""
    house.worker(), house.beat()
    return house.sender()


class TestASlowMailServer:
    def test_is_given_each_mail_once(self, sender, mail_sink):
        owed = Owed(MAILS_IN_HAND)
        owed.wait(delivered=MAILS_IN_HAND)
        assert set(owed.rows.values_list("attempts", flat=True)) == {1}
        assert owed.complaints(mail_sink) == []


class TestPostgres:
    def test_restarted_with_mails_in_hand_tells_nobody_twice(self, sender, postgres, mail_sink):
        """Each ends at another moment, most while the database is away."""
        mail_sink.seconds = 1.0
        owed = Owed(40)
        for _ in range(3):
            wait_until(lambda: mail_sink.in_hand == MAILS_IN_HAND)
            postgres.restart_immediately()
            wait_until(lambda: not mail_sink.in_hand)
            let_time_pass()  # of what it had taken and not mailed the lease ends
            put_right()
            let_time_pass()
        mail_sink.mode = smtp.ACCEPT
        owed.wait(delivered=40)
        assert owed.complaints(mail_sink) == []


class TestASenderThatIsAskedToEnd:
    def test_finishes_the_mails_in_hand_and_gives_back_the_rest(self, house, sender, broker, mail_sink):
        owed = Owed(COUNT)
        wait_until(lambda: mail_sink.in_hand == MAILS_IN_HAND)
        sender.process.send_signal(signal.SIGTERM)
        taken_before = len(mail_sink.mails)
        assert sender.wait_for_end(20) == 0
        taken = len(mail_sink.mails)
        assert taken_before < taken <= taken_before + MAILS_IN_HAND
        assert owed.states() == {"delivered": taken, "sent": COUNT - taken}
        assert not owed.rows.exclude(lease_until=None).exists()
        assert broker.waiting(Topology().queue) == COUNT - taken
        mail_sink.mode = smtp.ACCEPT
        house.sender()
        owed.wait(delivered=COUNT)
        assert owed.complaints(mail_sink) == []
