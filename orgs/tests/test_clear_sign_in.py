from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from orgs.models import SpentToken
from orgs.tasks import clear_sign_in


@pytest.mark.django_db
class TestClearSignIn:
    def test_forgets_what_has_run_out_and_nothing_else(self):
        past, future = (timezone.now() + timedelta(hours=hours) for hours in (-1, 1))
        for moment, letter in ((past, "a"), (future, "b")):
            Session.objects.create(session_key=letter * 32, session_data="", expire_date=moment)
            SpentToken.objects.create(digest=letter * 64, expires_at=moment)
        clear_sign_in()
        assert list(Session.objects.values_list("session_key", flat=True)) == ["b" * 32]
        assert list(SpentToken.objects.values_list("digest", flat=True)) == ["b" * 64]
