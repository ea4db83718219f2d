"""Turns, without a database: who leads, who is gathered, and what becomes of who is not."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest

from bookings import combining
from bookings.combining import LeaderLost, TurnNeverCame, Turns

SOON = 10.0


class Counter:
    """Serves when it is let; remembers who was served together."""

    def __init__(self):
        self.batches: list[list] = []
        self.may_serve = threading.Semaphore(0)
        self.began = threading.Semaphore(0)
        self.turns = Turns(self.serve)

    def serve(self, key, gather, patience) -> None:
        self.patience = patience
        self.began.release()
        assert self.may_serve.acquire(timeout=SOON)
        tickets = gather()
        self.batches.append([ticket.request for ticket in tickets])
        for ticket in tickets:
            if isinstance(ticket.request, Exception):
                ticket.settle(error=ticket.request)
            else:
                ticket.settle(answer=f"{ticket.request} served")

    def serve_next(self) -> None:
        self.may_serve.release()

    def wait_until_serving(self) -> None:
        assert self.began.acquire(timeout=SOON)

    def wait_until_in_line(self, key, people: int) -> None:
        for _ in range(1000):
            if len(self.turns._waiting.get(key, ())) == people:
                return
            threading.Event().wait(0.01)
        raise AssertionError(f"{people} never stood in line")


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(32) as pool:
        yield pool


class TestTurns:
    def test_serve_who_comes_alone_at_once(self, counter):
        counter.serve_next()
        assert counter.turns.ask("event", "Ada") == "Ada served"
        assert counter.turns._waiting == {}

    def test_gather_everybody_who_came_while_the_lock_was_waited_for(self, counter, threads):
        first = threads.submit(counter.turns.ask, "event", 0)
        counter.wait_until_serving()
        others = []
        for number in range(1, 10):
            others.append(threads.submit(counter.turns.ask, "event", number))
            counter.wait_until_in_line("event", number + 1)
        counter.serve_next()
        assert [future.result(SOON) for future in [first, *others]] == [f"{n} served" for n in range(10)]
        assert counter.batches == [list(range(10))]

    def test_are_taken_in_the_order_of_arrival_not_of_joining_the_line(self, counter, threads):
        asked = [threads.submit(counter.turns.ask, "event", 0, arrived=10.0)]
        counter.wait_until_serving()
        for number, arrived in [(3, 13.0), (1, 11.0), (2, 12.0)]:
            asked.append(threads.submit(counter.turns.ask, "event", number, arrived=arrived))
            counter.wait_until_in_line("event", len(asked))
        counter.serve_next()
        wait(asked, SOON)
        assert counter.batches == [[0, 1, 2, 3]]

    def test_never_leave_out_who_leads(self, counter, threads, monkeypatch):
        monkeypatch.setattr(combining, "MOST_AT_ONCE", 2)
        asked = [threads.submit(counter.turns.ask, "event", "last", arrived=10.0)]
        counter.wait_until_serving()
        for number in range(3):
            asked.append(threads.submit(counter.turns.ask, "event", number, arrived=float(number)))
            counter.wait_until_in_line("event", number + 2)
        for _ in range(3):
            counter.serve_next()
        wait(asked, SOON)
        assert counter.batches[0] == [0, "last"]
        assert sorted(str(each) for batch in counter.batches for each in batch) == ["0", "1", "2", "last"]

    def test_hand_the_lead_to_the_first_who_came_too_late(self, counter, threads, monkeypatch):
        monkeypatch.setattr(combining, "MOST_AT_ONCE", 2)
        asked = [threads.submit(counter.turns.ask, "event", 0)]
        counter.wait_until_serving()
        for number in range(1, 5):
            asked.append(threads.submit(counter.turns.ask, "event", number))
            counter.wait_until_in_line("event", number + 1)
        for _ in range(3):
            counter.serve_next()
        wait(asked, SOON)
        assert counter.batches == [[0, 1], [2, 3], [4]]
        assert counter.turns._waiting == {}

    def test_of_different_events_do_not_wait_for_each_other(self, counter, threads):
        one = threads.submit(counter.turns.ask, "one", "Ada")
        other = threads.submit(counter.turns.ask, "other", "Bob")
        counter.wait_until_serving()
        counter.wait_until_serving()
        counter.serve_next()
        counter.serve_next()
        assert {one.result(SOON), other.result(SOON)} == {"Ada served", "Bob served"}

    def test_raise_each_asker_their_own_error(self, counter, threads):
        asked = [threads.submit(counter.turns.ask, "event", "Ada")]
        counter.wait_until_serving()
        asked.append(threads.submit(counter.turns.ask, "event", ValueError("Bob")))
        counter.wait_until_in_line("event", 2)
        counter.serve_next()
        assert asked[0].result(SOON) == "Ada served"
        with pytest.raises(ValueError, match="Bob"):
            asked[1].result(SOON)

    def test_that_never_come_are_given_up_and_taken_out_of_the_line(self, counter, threads, monkeypatch):
        monkeypatch.setattr(combining, "PATIENCE", 0.05)
        first = threads.submit(counter.turns.ask, "event", "Ada")
        counter.wait_until_serving()
        with pytest.raises(TurnNeverCame):
            counter.turns.ask("event", "Bob")
        counter.serve_next()
        assert first.result(SOON) == "Ada served"
        assert counter.batches == [["Ada"]]

    def test_leave_who_has_waited_for_the_lead_less_patience_for_the_lock(
        self, counter, threads, monkeypatch
    ):
        monkeypatch.setattr(combining, "MOST_AT_ONCE", 1)
        asked = [threads.submit(counter.turns.ask, "event", 0)]
        counter.wait_until_serving()
        asked.append(threads.submit(counter.turns.ask, "event", 1))
        counter.wait_until_in_line("event", 2)
        threading.Event().wait(0.3)
        assert combining.PATIENCE - 0.2 < counter.patience <= combining.PATIENCE
        counter.serve_next()
        counter.wait_until_serving()
        assert counter.patience <= combining.PATIENCE - 0.3
        counter.serve_next()
        wait(asked, SOON)

    def test_do_not_wait_for_ever_for_an_answer_that_is_being_made(self, threads, monkeypatch):
        monkeypatch.setattr(combining, "PATIENCE", 0.1)
        monkeypatch.setattr(combining, "AT_LAST", 0.1)
        gathered, may_end = threading.Event(), threading.Event()

        def serve(key, gather, patience):
            while len(turns._waiting["event"]) < 2:
                threading.Event().wait(0.005)
            tickets = gather()
            gathered.set()
            assert may_end.wait(SOON)
            for ticket in tickets:
                ticket.settle(answer="served")

        turns = Turns(serve)
        first = threads.submit(turns.ask, "event", "Ada")
        second = threads.submit(turns.ask, "event", "Bob")
        assert gathered.wait(SOON)
        [lost] = wait([first, second], SOON, FIRST_COMPLETED).done
        may_end.set()
        [leader] = {first, second} - {lost}
        assert leader.result(SOON) == "served"
        with pytest.raises(LeaderLost):
            lost.result()

    def test_go_on_behind_a_leader_that_failed_before_it_had_the_lock(self, threads):
        may_fail, failures = threading.Event(), []

        def serve(key, gather, patience):
            if not failures:
                failures.append(key)
                assert may_fail.wait(SOON)
                raise ConnectionError("no lock")
            for ticket in gather():
                ticket.settle(answer="served")

        turns = Turns(serve)
        first = threads.submit(turns.ask, "event", "Ada")
        while "event" not in turns._waiting or not failures:
            threading.Event().wait(0.01)
        second = threads.submit(turns.ask, "event", "Bob")
        while len(turns._waiting["event"]) < 2:
            threading.Event().wait(0.01)
        may_fail.set()
        with pytest.raises(ConnectionError):
            first.result(SOON)
        assert second.result(SOON) == "served"

    def test_leave_nobody_without_an_answer_when_serving_fails_half_way(self, threads):
        def serve(key, gather, patience):
            tickets = gather()
            tickets[0].settle(answer="served")
            raise ZeroDivisionError

        turns = Turns(serve)
        assert turns.ask("event", "Ada") == "served"
        assert turns._waiting == {}

    def test_go_on_behind_somebody_who_was_ended_while_waiting(self, counter, threads, monkeypatch):
        first = threads.submit(counter.turns.ask, "event", "Ada")
        counter.wait_until_serving()

        def ended(self, seconds):
            raise SystemExit

        with monkeypatch.context() as patched:
            patched.setattr(combining.Ticket, "wait", ended)
            with pytest.raises(SystemExit):
                counter.turns.ask("event", "Bob")
        counter.serve_next()
        counter.serve_next()
        assert first.result(SOON) == "Ada served"
        assert counter.turns.ask("event", "Cem") == "Cem served"

    def test_end_with_an_error_of_their_own_when_who_leads_is_ended(self, threads):
        began, may_end, outcomes = threading.Event(), threading.Event(), {}

        def serve(key, gather, patience):
            began.set()
            assert may_end.wait(SOON)
            gather()
            raise SystemExit

        turns = Turns(serve)

        def ask(name):
            try:
                turns.ask("event", name)
            except BaseException as error:
                outcomes[name] = type(error)

        leader = threads.submit(ask, "Ada")
        assert began.wait(SOON)
        follower = threads.submit(ask, "Bob")
        while len(turns._waiting["event"]) < 2:
            threading.Event().wait(0.01)
        may_end.set()
        wait([leader, follower], SOON)
        assert outcomes == {"Ada": SystemExit, "Bob": combining.LeaderLost}
