"""Nonsense sent to every page of the admin: whoever sends it gets a page, and no page falls over."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from tests.admin_map import (
    EVERYBODY,
    OUTSIDE,
    READ_ONLY,
    STEPS,
    Visitor,
    address,
    asks,
    expected_pages,
    furnish,
    takes_a_row,
)
from tests.tenants import Tenants

PLACES = re.compile(r'<(?:input|select|textarea)\b[^>]*\bname="([^"]+)"')
SENT = {
    "nothing": "",
    "blanks": " \t\n ",
    "a text without end": "x" * 300_000,
    "a NUL": "a\x00b",
    "half a sign": b"a\xed\xa0\x80\xff",
    "a number without end": "9" * 5_000,
    "a number too large for a column": str(2**63),
    "what Python alone calls a number": "1_0",
    "digits of other scripts": "\u0663\u00b2",
    "a key of nobody": str(uuid4()),
    "the first day there is": "0001-01-01",
    "the last day there is": "9999-12-31",
    "brackets without end": "[" * 100_000,
    "a way out of the directory": "../../etc/passwd",
}


@pytest.fixture
def tenants(tenants) -> Tenants:
    for tenant in tenants:
        furnish(tenant)
    return tenants


@pytest.mark.parametrize("role", [role for role in EVERYBODY if role not in OUTSIDE])
@pytest.mark.usefixtures("as_the_application")
class TestNonsense:
    def test_in_an_address_is_answered_with_a_page(self, tenants, role):
        """Keys that are none, numbers that are too large, columns that must not be asked for, NULs."""
        visitor = Visitor(role, tenants)
        of_lists = [
            *[{"p": "abc"}, {"p": "-1"}, {"p": "9" * 30}, {"o": "zz"}, {"o": "99"}, {"all": ""}, {"e": "1"}],
            *[{"q": "'" * 200}, {"event": "{[" * 500}, {"state": "nonsense"}, {"_to_field": "id"}],
        ]
        of_all = [
            *[{"_popup": "1", "_to_field": "settings"}, {"_changelist_filters": "\x00"}],
            {"form": "exe", "section": "9" * 30},
        ]
        for name, who in expected_pages().items():
            if name == "logout" or not asks(role, who):
                continue
            own = visitor.row(name, visitor.own).pk if takes_a_row(name) else None
            for query in of_all + (of_lists if name == "events_event_changelist" else []):
                answer = visitor.ask("get", address(name, own), query)
                assert answer.status_code in (200, 302, 400, 403, 404, 405), f"{name}: {query}"
            for pk in ("nonsense", "_00", "%00", "a" * 300) if takes_a_row(name) else ():
                url = address(name, own).replace(str(own), pk)
                for method in ("get", "post"):
                    assert visitor.ask(method, url).status_code in (301, 302, 400, 403, 404), url

    def test_in_a_form_is_answered_with_the_form_or_is_a_bad_request(self, tenants, role):
        visitor = Visitor(role, tenants)
        for name, who in expected_pages().items():
            has_form = name == "switch" or name in STEPS or name.endswith(("_add", "_change"))
            if not has_form or name in READ_ONLY or not asks(role, who):
                continue
            own = visitor.row(name, visitor.own).pk if takes_a_row(name) else None
            shown = visitor.ask("get", address(name, own))
            places = set(PLACES.findall(shown.seen)) - {"csrfmiddlewaretoken", "q"}
            for what, nonsense in SENT.items() if places else ():
                answer = visitor.ask("post", address(name, own), dict.fromkeys(places, nonsense))
                assert answer.status_code in (302, 400, 403, 405, 422), f"{name}: {what}"

    def test_of_a_form_comes_back_with_a_sentence(self, tenants, role):
        visitor = Visitor(role, tenants)
        sent = {"title": "x" * 300, "total_slots": "9" * 30, "category": "odd"}
        sent |= {"event_date_0": "0001-01-01", "event_date_1": "10:00"}
        answer = visitor.ask("post", reverse("admin:events_event_add"), sent)
        assert answer.status_code == 422
        for sentence in ("at most 200 characters", "at most 1,000,000", "calendars know", "not one of the"):
            assert sentence in answer.seen
