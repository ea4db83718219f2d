"""Templates that are filled in: what comes out is what Django renders, and nothing of anybody else's."""

from html import escape

import pytest
from django.template.loader import render_to_string

from notifications import blanks

FRAMES = {"notifications/mail/frame.txt": str, "notifications/mail/frame.html": escape}
FACTS = {
    "title": "Rock & <b>Roll</b>",
    "greeting": "Hello Ada 'Žofie' \"x\",",
    "paragraphs": ["One & one.", "Two."],
    "rows": [("Event", "Rock & Roll"), ("Where", "<script>"), ("Seats", "")],
    "join_url": "https://meet.example/?a=1&b=2",
    "url": "https://happening.example/bookings/1/",
    "is_about_a_booking": True,
    "writer": "Acme <&>",
    "site": "https://happening.example/",
    "unsubscribe_url": "",
}
OTHERS = [
    {},
    {"title": "", "greeting": "\ue0003\ue001 {{ title }} {% now 'Y' %}"},
    {"rows": [], "paragraphs": []},
    {"rows": [("Event", "\ue0000\ue001")], "paragraphs": ["one", "two", "three"]},
    {"is_about_a_booking": False, "join_url": "", "unsubscribe_url": "https://u.example/t?x='"},
]


@pytest.fixture(autouse=True)
def _nothing_kept():
    blanks._form.cache_clear()


class TestRender:
    @pytest.mark.parametrize("frame", FRAMES)
    @pytest.mark.parametrize("others", OTHERS)
    def test_is_what_django_renders(self, frame, others):
        facts = FACTS | others
        for _ in ("made", "kept"):
            assert blanks.render(frame, facts, write=FRAMES[frame]) == render_to_string(frame, facts)

    def test_keeps_nothing_of_anybody(self):
        """What is kept for one person is what is kept for another with as many facts."""
        for frame, write in FRAMES.items():
            ada = blanks.render(frame, FACTS, write=write)
            kept = blanks._form.cache_info().currsize
            other = {
                name: [tuple("Bob" for _ in each) if isinstance(each, tuple) else "Bob" for each in fact]
                if isinstance(fact, list)
                else "Bob" * bool(fact)
                if isinstance(fact, str)
                else fact
                for name, fact in FACTS.items()
            }
            bob = blanks.render(frame, other, write=write)
            assert blanks._form.cache_info().currsize == kept
            assert "Ada" in ada
            assert bob == render_to_string(frame, other)
            assert not any(word in bob for word in ("Ada", "Rock", "Acme", "meet.example"))

    def test_tells_apart_what_the_template_asks_for(self):
        """A word that is missing, a shorter list, an answer that is no: each has a form of its own."""
        frame = "notifications/mail/frame.txt"
        forms = [FACTS, *({**FACTS, **others} for others in OTHERS[1:])]
        for facts in [*forms, *forms]:
            assert blanks.render(frame, facts) == render_to_string(frame, facts)
