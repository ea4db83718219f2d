"""PostgreSQL goes away while a crowd books."""

import threading
import time

import pytest

from tests.faults.checker import complaints, counter_complaints, wait_until_mended, wrongly_turned_away
from tests.faults.crowd import Crowd

PARTIES = [1, 2, 1, 3] * 20
SEATS = 200  # enough for all


@pytest.mark.usefixtures("background")
class TestPostgres:
    def test_restarted_immediately_in_the_rush_keeps_what_was_promised(
        self, postgres, valkey, site, make_event, visitors, log, two_webs
    ):
        event = make_event(total_slots=SEATS, waitlist=False)
        crowd = Crowd(visitors(len(PARTIES)), event.pk, [web.address for web in two_webs], parties=PARTIES)
        for answers in (15, 40):
            crowd.wait_for_answers(answers)
            postgres.restart_immediately()
        assert {line.status for line in crowd.join()} == {303}
        assert complaints(event.pk, log.lines) == []
        assert wrongly_turned_away(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []

    def test_away_for_a_while_is_told_as_503_and_forms_are_kept(
        self, postgres, valkey, site, make_event, visitors, log, two_webs
    ):
        event = make_event(total_slots=SEATS, waitlist=False)
        crowd = Crowd(visitors(len(PARTIES)), event.pk, [web.address for web in two_webs], parties=PARTIES)
        crowd.wait_for_answers(10)
        with postgres.gone():
            time.sleep(2)
        assert {line.status for line in crowd.join()} == {303}
        assert {line.status for line in log.lines} - {303, None} <= {503}
        assert complaints(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []

    def test_stalled_for_a_while_answers_everybody_once_it_goes_on(
        self, postgres, valkey, site, make_event, visitors, log, two_webs
    ):
        event = make_event(total_slots=SEATS, waitlist=False)
        crowd = Crowd(visitors(len(PARTIES)), event.pk, [web.address for web in two_webs], parties=PARTIES)
        crowd.wait_for_answers(10)
        with postgres.stalled():
            time.sleep(3)
        assert {line.status for line in crowd.join()} == {303}
        assert complaints(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []


def test_a_web_process_starts_while_postgres_is_away(postgres, site):
    """And says that it is not ready, instead of ending."""
    with postgres.gone():
        web = site.web("early")
        assert web.get("/readyz") == 503
    deadline = threading.Event()
    for _ in range(100):
        if web.get("/readyz") == 200:
            return
        deadline.wait(0.1)
    pytest.fail(f"it does not become ready:\n{web.last_words()}")
