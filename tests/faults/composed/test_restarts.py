"""Any one service is restarted, and the site is whole again within ten seconds of it answering, by itself: a
booking is made, shown to those who look on, counted, and told by mail."""

import time

import pytest

from tests.faults.composed.stage import OURS, WHOLE_WITHIN

SERVERS = ("postgres", "pgbouncer", "redis", "rabbitmq", "proxy")


@pytest.fixture(autouse=True)
def was_whole(stage):
    stage.whole_again(time.monotonic())


class TestTheSiteIsWholeAgain:
    @pytest.mark.parametrize("server", SERVERS)
    def test_once_a_server_has_been_restarted(self, server, stage, tell):
        getattr(stage, server).restart()
        seconds = stage.whole_again(time.monotonic())
        tell(f"{server} restarted: {seconds}")
        assert seconds.longest < WHOLE_WITHIN

    def test_once_postgresql_has_been_missed_for_a_while(self, stage, tell):
        """The web asks PgBouncer all the while, which remembers that there was no answer."""
        with stage.postgres.gone():
            until = time.monotonic() + 6
            while time.monotonic() < until:
                assert stage.visitor().get("/readyz").status == 503
                time.sleep(0.2)
        seconds = stage.whole_again(time.monotonic())
        tell(f"postgres missed for 6 s: {seconds}")
        assert seconds.longest < WHOLE_WITHIN

    @pytest.mark.parametrize("service", OURS)
    def test_once_a_service_of_ours_has_been_restarted(self, service, stage, tell):
        [container] = stage.containers.of(service)
        container.restart()
        seconds = stage.whole_again(time.monotonic())
        tell(f"{service} restarted: {seconds}")
        assert "Exception in ASGI application" not in container.log.read_text()  # its streams ended well
        assert seconds.longest < WHOLE_WITHIN

    def test_and_says_kindly_that_no_web_process_answers_meanwhile(self, stage):
        [web] = stage.containers.of("web")
        web.stop()
        try:
            answer = stage.visitor().get("/")
        finally:
            web.start().wait_until_well()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "Just a moment" in answer.text
