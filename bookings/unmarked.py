"""Marks of forms that could not be made because Redis was away; whoever finds it back makes up for them."""

from collections import OrderedDict

from redis.client import Pipeline

MOST = 10_000  # forms

_marks: OrderedDict[str, None] = OrderedDict()


def note(mark: str) -> None:
    _marks[mark] = None
    while len(_marks) > MOST:
        _marks.popitem(last=False)


def make_up(pipe: Pipeline, *, seconds: int) -> None:
    """Make what is missing along with what else `pipe` does; they are forgotten once that was done."""
    marks = list(_marks)
    for mark in marks:
        pipe.set(mark, "", ex=seconds)
    pipe.execute()
    for mark in marks:
        _marks.pop(mark, None)
