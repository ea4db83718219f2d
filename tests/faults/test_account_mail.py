"""Mail about accounts comes although the worker dies with it in hand: once, or twice where it had gone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from orgs import account_mail
from orgs.models import AccountMail
from tests.faults.outbox import wait_until


@pytest.fixture
def post(postgres):
    def posting() -> AccountMail:
        address = f"{uuid4().hex}@load.test"
        return account_mail.post(kind="notice", to=address, subject="S", text="T", now=timezone.now())

    return posting


class TestAWorkerThatIsKilled:
    @pytest.mark.parametrize(("point", "had_gone"), [("claimed", 0), ("sent", 1)])
    def test_leaves_the_mail_in_hand_to_the_next(self, point, had_gone, house, mail_sink, post):
        house.beat()
        doomed = house.worker(HAPPENING_CRASH_AT=f"account_mail:{point}")
        mail = post()
        wait_until(lambda: "WorkerLostError" in doomed.log.read_text())
        doomed.kill()
        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("pending", 1)
        assert mail.lease_until > timezone.now()
        assert len(mail_sink.sent_to(mail.recipient)) == had_gone
        AccountMail.objects.filter(pk=mail.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        house.worker()
        wait_until(lambda: AccountMail.objects.get(pk=mail.pk).status == "sent")
        assert len(mail_sink.sent_to(mail.recipient)) == had_gone + 1
