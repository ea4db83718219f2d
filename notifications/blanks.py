"""Templates that are rendered once, with blanks, and then only filled in.

To render a template takes longer than to do anything else for a mail, and from one mail to the next only a
dozen words differ. What is kept here is made of blanks and of the facts' outline (which of them there are,
and how many) and never of anybody's facts: nothing that one person is told can come to another.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import count

from django.template.loader import render_to_string
from django.utils.translation import get_language

Fact = str | bool | list[str] | list[tuple[str, ...]]
Outline = bool | str | int | tuple

_BLANK = "\ue000{}\ue001"  # signs that mean nothing, and that no escaping changes
_BLANKS = re.compile("\ue000([0-9]+)\ue001")


def render(template: str, facts: Mapping[str, Fact], *, write: Callable[[str], str] = str) -> str:
    """As Django renders it. The template may ask whether there is a fact and go through lists, but it cannot
    do anything with the words themselves.

    Args:
        write: how words are written there, such as `escape` in HTML.
    """
    outline = tuple([(name, _outline(fact)) for name, fact in facts.items()])
    pieces, blanks = _form(template, get_language(), outline)
    words = list(map(write, _words(facts.values())))
    filled = list(pieces)
    filled[1::2] = [words[number] for number in blanks]
    return "".join(filled)


def _outline(fact: Fact) -> Outline:
    """What a form is made for: whether there is such a fact; how long a list is, and of what."""
    if isinstance(fact, bool):
        return fact
    if isinstance(fact, str):
        return "a word" if fact else ""
    return tuple([len(each) if isinstance(each, tuple) else 0 for each in fact])


def _words(facts: Iterable[Fact]) -> Iterator[str]:
    """The words that come into the blanks, in the order of their numbers."""
    for fact in facts:
        if isinstance(fact, str):
            yield fact
        elif not isinstance(fact, bool):
            yield from _words(fact)


@lru_cache(maxsize=1_000)
def _form(template: str, _language: str | None, outline: tuple) -> tuple[list[str], list[int]]:
    """What stands between the blanks, with room for what comes into them, and the blanks' numbers."""
    blank = map(_BLANK.format, count())
    text = render_to_string(template, {name: _blanks(each, blank) for name, each in outline})
    pieces = _BLANKS.split(text)
    return pieces, [int(number) for number in pieces[1::2]]


def _blanks(outline: Outline, blank: Iterator[str]) -> Fact:
    if isinstance(outline, bool):
        return outline
    if isinstance(outline, str):
        word = next(blank)
        return word if outline else ""
    return [tuple([next(blank) for _ in range(many)]) if many else next(blank) for many in outline]
