"""The site starts, shows its pages and sells seats while what stands beside PostgreSQL is away; what was
missed is made good within ten seconds of its coming back. Keycloak is away all the time."""

import time
from contextlib import ExitStack

import pytest

from tests.faults.composed.stage import OURS, WHOLE_WITHIN

PAGES = ("/", "/events/", "/accounts/login/", "/readyz")
OF_A_PERSON = ("/bookings/", "/notifications/", "/account/")


class TestTheSiteStarts:
    @pytest.mark.parametrize("away", [("redis",), ("rabbitmq",), ("redis", "rabbitmq")], ids=" and ".join)
    def test_shows_its_pages_and_sells_without(self, away, stage, tell):
        with ExitStack() as stack:
            for server in away:
                stack.enter_context(getattr(stage, server).gone())
            stage.containers.restart()
            for service in ("web", "live"):
                stage.containers.of(service)[0].wait_until_well()
            address, visitor = stage.somebody()
            stranger, event = stage.visitor(), f"/events/{stage.event}/"
            shown = {path: stranger.get(path).status for path in (*PAGES, event)}
            shown |= {path: visitor.get(path).status for path in (*OF_A_PERSON, event)}
            assert set(shown.values()) == {200}, shown
            booked = visitor.book(stage.event)
            assert booked.status == 303
            assert visitor.get(booked.location).status == 200
            sso = visitor.get("/oidc/authenticate/")
            assert sso.status in (200, 302, 503)
            assert all(stage.containers.of(service)[0].is_running for service in OURS)
        seconds = stage.whole_again(time.monotonic())
        tell(f"all of ours started without {' and '.join(away)}, which then came back: {seconds}")
        assert seconds.longest < WHOLE_WITHIN
        assert len(stage.mail.sent_to(address)) == 1
