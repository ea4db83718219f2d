import pytest
from django.template import TemplateSyntaxError
from django.template.loader import get_template

from happening.warming import warm_up


@pytest.fixture
def directory(settings, tmp_path):
    [engine] = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path]}]
    return tmp_path


def test_has_every_page_read_once(directory):
    (directory / "below").mkdir()
    pages = [directory / "a.html", directory / "below" / "b.html"]
    for page in pages:
        page.write_text("{% load kept %}{% kept 'it' %}a page{% endkept %}")
    warm_up()
    for page in pages:
        page.unlink()
    assert get_template("a.html").render() == get_template("below/b.html").render() == "a page"


def test_stops_at_a_page_that_cannot_be_read(directory):
    (directory / "broken.html").write_text("{% if %}")
    with pytest.raises(TemplateSyntaxError):
        warm_up()
