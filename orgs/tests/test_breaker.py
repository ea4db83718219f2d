"""Patience with a Redis that fails, where others ask while one of them finds it back."""

import threading

import pytest
from redis import RedisError
from redis import TimeoutError as TookTooLong

from orgs import breaker as breaker_module
from orgs.breaker import OPEN, Away, Breaker


class Site:
    """A process: what it has to tell Redis, and what Redis has been told of it. `meanwhile` is what others do
    while it is being made good."""

    def __init__(self):
        self.untold, self.told, self.meanwhile = [], [], []
        self.breaker = Breaker("a site", makes_good=self._make_good)

    def _make_good(self):
        telling = list(self.untold)
        if self.meanwhile:
            self.meanwhile.pop()()
        self.told += telling
        self.untold = [each for each in self.untold if each not in telling]

    def miss(self, word):
        self.untold.append(word)

    def tell(self, word, command=lambda: None):
        self.breaker.ask(command, misses=lambda: self.miss(word))

    def fail(self, word):
        with pytest.raises(Away):
            self.tell(word, self.no_answer)

    @staticmethod
    def no_answer():
        raise RedisError

    @staticmethod
    def late():
        raise TookTooLong


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def again(site):
    """The time has come to ask again."""
    site.fail("first")
    site.breaker._asks_again_at = 0


class TestBreaker:
    def test_remembers_what_failed_and_what_went_without(self, site):
        site.fail("first")
        with pytest.raises(Away):
            site.tell("second")
        assert (site.untold, site.told) == (["first", "second"], [])

    def test_remembers_what_failed_when_it_asked_again(self, site, again):
        site.fail("second")
        assert site.untold == ["second"]

    def test_stays_shut_where_one_who_only_looks_had_to_wait_too_long(self, site):
        with pytest.raises(Away):
            site.breaker.ask(site.late, looks_only=True)
        assert site.breaker.failures == 0
        assert site.breaker.ask(lambda: "here", looks_only=True) == "here"

    def test_opens_for_one_who_only_looks_where_nobody_listens(self, site):
        with pytest.raises(Away):
            site.breaker.ask(site.no_answer, looks_only=True)
        with pytest.raises(Away):
            site.breaker.ask(lambda: "here", looks_only=True)

    def test_opens_for_one_who_told_something_and_had_to_wait_too_long(self, site):
        with pytest.raises(Away):
            site.breaker.ask(site.late)
        assert site.breaker.failures == 1

    def test_makes_good_what_was_missed(self, site, again):
        site.tell("second")
        assert (site.untold, site.told) == ([], ["first"])

    def test_makes_good_once_where_nobody_went_without_meanwhile(self, site, again):
        made_good = []
        site.breaker._makes_good = lambda: made_good.append(True)
        site.tell("second")
        assert len(made_good) == 1

    def test_makes_nothing_good_that_another_has_just_made_good(self, site, again):
        made_good = []
        site.breaker._makes_good = lambda: made_good.append(True)
        site.tell("second")
        site.breaker._ask_again(lambda: None, False)  # of who saw it away just before
        assert len(made_good) == 1

    def test_makes_good_what_others_went_without_while_it_was_found_back(self, site, again):
        def another():
            with pytest.raises(Away):
                site.tell("second")

        site.meanwhile.append(another)
        site.tell("third")
        assert (site.untold, site.told) == ([], ["first", "second"])

    def test_makes_good_what_failed_while_it_was_found_back(self, site, again):
        """Of somebody who had begun to ask before it was known to be away."""
        site.meanwhile.append(lambda: site.breaker._failed(RedisError(), lambda: site.miss("second")))
        site.tell("third")
        assert (site.untold, site.told) == ([], ["first", "second"])

    def test_is_away_again_where_one_who_only_looks_finds_it_back_for_a_moment(self, site, again):
        """Others missed something meanwhile, which Redis is too late to be told."""

        def another():
            with pytest.raises(Away):
                site.tell("second")
            site.meanwhile.append(site.late)

        site.meanwhile.append(another)
        with pytest.raises(Away):
            site.breaker.ask(lambda: "here", looks_only=True)
        assert site.breaker._is_away
        assert site.untold == ["second"]

    def test_makes_good_once_where_others_only_looked_meanwhile(self, site, again):
        made_good = []

        def another():
            with pytest.raises(Away):
                site.breaker.ask(lambda: "here", looks_only=True)

        site.meanwhile.append(another)
        make_good = site.breaker._makes_good
        site.breaker._makes_good = lambda: (made_good.append(True), make_good())
        site.tell("second")
        assert len(made_good) == 1

    def test_is_away_again_where_making_good_fails(self, site, again, monkeypatch):
        monkeypatch.setattr(breaker_module, "REST", 60)
        site.meanwhile.append(site.no_answer)
        with pytest.raises(Away):
            site.tell("second")
        assert site.untold == ["first", "second"]
        with pytest.raises(Away):
            site.tell("third")
        assert OPEN.labels("a site")._value.get() == 1

    def test_begins_to_look_by_itself_at_the_next_failure_where_no_thread_was_to_be_had(self, monkeypatch):
        monkeypatch.setattr(breaker_module, "REST", 0)
        is_back = threading.Event()
        breaker = Breaker(
            "a site", makes_good=lambda: is_back.is_set() or Site.no_answer(), looks_by_itself=True
        )

        def no_thread(_):
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(Away):
                breaker.ask(Site.no_answer)
        with pytest.raises(Away):
            breaker.ask(lambda: "here")
        is_back.set()
        breaker._looker.join(5)
        assert not breaker._is_away
