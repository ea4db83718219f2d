"""Parts of pages that are made once: never another's, never out of date."""

from datetime import timedelta

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils.translation import override

from events import keeping
from events.models import Event
from tests.factories import EventFactory


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    keeping._kept.clear()
    monkeypatch.setattr(keeping, "PROVEN", False)


@pytest.fixture
def event():
    return EventFactory.build(title="Low Tide")


def show(event, *, inside="{{ event.title }}{{ counted.up }}", **more):
    class Counted:
        times = 0

        @property
        def up(self):
            Counted.times += 1
            return ""

    text = "{% load kept %}{% kept 'part' event extra %}" + inside + "{% endkept %}"
    said = Template(text).render(Context({"event": event, "counted": Counted(), "extra": "", **more}))
    return said, Counted.times


class TestKept:
    def test_is_made_once(self, event):
        assert show(event) == ("Low Tide", 1)
        assert show(event) == ("Low Tide", 0)

    @pytest.mark.parametrize("fact", ["title", "place", "description", "category", "queue_rule", "status"])
    def test_is_made_anew_when_what_people_change_changes(self, event, fact):
        show(event)
        setattr(event, fact, "other")
        assert show(event)[1] == 1

    def test_is_made_anew_when_the_event_moves_or_its_organization_is_renamed(self, event):
        show(event)
        event.event_date += timedelta(days=1)
        assert show(event)[1] == 1
        event.org.name = "Another"
        assert show(event)[1] == 1

    def test_stays_when_somebody_books(self, event):
        show(event)
        event.available_slots, event.version = 3, 8
        assert show(event)[1] == 0

    def test_is_kept_apart_by_event_value_and_language(self, event):
        show(event)
        assert show(EventFactory.build(title="Low Tide"))[1] == 1
        assert show(event, extra="https")[1] == 1
        with override("de"):
            assert show(event)[1] == 1

    def test_keeps_no_more_than_so_many(self, event, monkeypatch):
        monkeypatch.setattr(keeping, "MOST", 2)
        for number in range(5):
            show(event, extra=number)
        assert len(keeping._kept) == 2

    def test_leaves_gaps_for_what_is_fresh(self, event):
        left, name = "{% fresh %}{{ left }}{% endfresh %}", "{% fresh %}{{ name }}{% endfresh %}"
        inside = f"<{{{{ event.title }}}}{left}|{name}>{{{{ counted.up }}}}"
        assert show(event, inside=inside, left=3, name="Uma & Co") == ("<Low Tide3|Uma &amp; Co>", 1)
        assert show(event, inside=inside, left=2, name="Otto") == ("<Low Tide2|Otto>", 0)

    def test_leaves_out_a_gap_that_was_not_reached(self, event):
        inside = "{% if extra %}{% fresh %}{{ left }}{% endfresh %}{% endif %}{% fresh %}!{% endfresh %}"
        assert show(event, inside=inside, left=3)[0] == "!"
        assert show(event, inside=inside, left=3, extra="on")[0] == "3!"

    def test_is_not_kept_inside_of_what_is_kept(self, event):
        with pytest.raises(TemplateSyntaxError, match="no kept inside of kept"):
            show(event, inside="{% if event %}{% kept 'inner' %}{% endkept %}{% endif %}")

    def test_is_proven_where_that_is_asked_for(self, event, monkeypatch):
        monkeypatch.setattr(keeping, "PROVEN", True)
        show(event, inside="{{ left }}", left=3)
        with pytest.raises(keeping.NotTheSame):
            show(event, inside="{{ left }}", left=2)

    def test_is_proven_to_know_what_its_gaps_ask_for(self, event, monkeypatch):
        """Whoever fills a gap knows what was known where the part begins, and nothing of what came since."""
        monkeypatch.setattr(keeping, "PROVEN", True)
        with pytest.raises(keeping.NotTheSame):
            show(event, inside="{% with left=3 %}{% fresh %}{{ left }}{% endfresh %}{% endwith %}")

    def test_has_no_blocks_in_its_gaps(self, event):
        with pytest.raises(TemplateSyntaxError, match="no blocks"):
            show(event, inside="{% fresh %}{% block a %}{% endblock %}{% endfresh %}")

    def test_fills_the_gaps_of_a_template_that_nobody_has_any_more(self):
        """Of two threads that read a template at once, one has a copy that goes once it was used."""
        context = Context({"left": 3})
        text = "{% load kept %}<{% fresh %}{{ left }}{% endfresh %}>"
        assert keeping.keep("part", [], context, lambda: Template(text).render(context)) == "<3>"

    def test_knows_every_word_of_an_event(self):
        """A field that is added must be put among the words, or be known to be none of them."""
        numbers = {
            "available_slots",
            "total_slots",
            "is_bookable",
            "last_waiting_number",
            "version",
            "sequence",
        }
        others = {
            *("id", "org", "created_at", "updated_at", "layout", "online_url", "source_uid"),
            *("max_seats_per_booking", "max_seats_per_person", "cancellation_reason"),
        }
        words = {
            *("title", "description", "category", "place", "event_date", "ends_at", "time_zone", "status"),
            *(
                "visibility",
                "published_at",
                "booking_opens_at",
                "booking_closes_at",
                "waitlist",
                "queue_rule",
            ),
        }
        assert {field.name for field in Event._meta.concrete_fields} == numbers | others | words


@pytest.mark.django_db
class TestPage:
    @pytest.fixture(autouse=True)
    def templates(self, settings, tmp_path):
        """A page that extends another, which keeps a part and has a gap of its own."""
        (tmp_path / "outer.html").write_text(
            "{% load kept %}{% kept 'bar' %}<bar {% fresh %}{{ who }}{% endfresh %}>{% endkept %}"
            "{% block main %}{% endblock %}{% fresh %}{{ count.up }}{% endfresh %}"
        )
        (tmp_path / "page.html").write_text(
            "{% extends 'outer.html' %}{% load kept %}"
            "{% block main %}{{ event.title }} {{ made.up }}"
            "{% fresh %}, {{ who }}{% endfresh %}{% endblock %}"
        )
        [engine] = settings.TEMPLATES
        settings.TEMPLATES = [{**engine, "DIRS": [tmp_path]}]

    @pytest.fixture
    def look_at(self, event, rf):
        class Counted:
            times = 0

            @property
            def up(self):
                self.times += 1
                return self.times

        counted, made = Counted(), Counted()

        def looking(who, *depends_on, event=event, host="localhost") -> str:
            request = rf.get("/", headers={"host": host})
            request.user = None
            facts = {"who": who, "event": event, "count": counted, "made": made}
            return keeping.page(request, "page.html", facts, depends_on=(event, *depends_on)).content.decode()

        return looking

    def test_is_made_once_and_its_gaps_each_time(self, look_at):
        assert look_at("Uma") == "<bar Uma>Low Tide 1, Uma1"
        assert look_at("Otto") == "<bar Otto>Low Tide 1, Otto2"

    def test_is_kept_apart_by_what_it_depends_on_and_by_host(self, look_at, settings):
        settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
        look_at("Uma")
        assert "Low Tide 2" in look_at("Uma", "open")
        assert "Low Tide 3" in look_at("Uma", host="127.0.0.1")
        assert "Low Tide 4" in look_at("Uma", event=EventFactory.build(title="Low Tide"))
        assert "Low Tide 1" in look_at("Uma")

    def test_is_proven_where_that_is_asked_for(self, look_at, monkeypatch):
        look_at("Uma")
        monkeypatch.setattr(keeping, "PROVEN", True)
        with pytest.raises(keeping.NotTheSame):
            look_at("Uma")
