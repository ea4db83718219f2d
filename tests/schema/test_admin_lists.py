"""The admin's lists at a hundred thousand bookings: each page, filter and search reads a part of them.

Every query that a list makes is run once more under EXPLAIN ANALYZE. What counts is how many rows are looked
at, whatever the plan is called: an index read from end to end is no better than the table.
"""

import json
from pathlib import Path

import pytest
from django.contrib.admin import site
from django.contrib.admin.views.main import ChangeList
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from bookings.models import Booking, BookingHistory, BookingSeat
from events.models import Event
from notifications.models import Notification
from orgs.admin_site import LongList
from orgs.models import Membership, Organization, User

HERE = Path(__file__)
MOST = (
    20_000  # rows of a large table that a page may look at: a window of 5,000, and the 12,000 others between
)
LARGE = {"bookings", "booking_seats", "booking_history", "notifications"}
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LISTS = (Booking, BookingSeat, BookingHistory, Notification, Event)
PEOPLE = ("ada@large.test", "ada@small.test", "root@happening.test")


@pytest.fixture(scope="module")
def crowded(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(HERE.with_name("full_house.sql").read_text())
        cursor.execute(HERE.with_name("hundred_thousand.sql").read_text())
        assert Booking.objects.count() > 100_000
        for slug in ("large", "small"):
            person = User.objects.create(email=f"ada@{slug}.test", name=f"Ada of {slug}")
            organization = Organization.objects.get(slug=slug)
            Membership.objects.create(organization=organization, user=person, role="organizer")
        User.objects.create(email="root@happening.test", name="Root", is_platform_staff=True)
        yield
        transaction.set_rollback(True)


def looked_at(ask) -> dict[str, int]:
    """How many rows of each large table the queries of `ask()` look at; of the one that looks at most."""
    asked = []

    def listen(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        ask()
    most = {}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 1.1")  # as on a disk without a head to move
        for sql, params in asked:
            if not sql.lstrip().startswith("SELECT"):
                continue
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            [[plan]] = cursor.fetchall()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            counts = {}
            for table, rows in _rows(plan[0]["Plan"]):
                counts[table] = counts.get(table, 0) + rows
            for table, rows in counts.items():
                most[table] = max(most.get(table, 0), rows)
    return most


def _rows(node):
    if "Relation Name" in node:
        removed = sum(rows for name, rows in node.items() if name.startswith("Rows Removed by"))
        yield node["Relation Name"], round((node["Actual Rows"] + removed) * node["Actual Loops"])
    for part in node.get("Plans", ()):
        yield from _rows(part)


def questions(model) -> list[dict]:
    """What somebody may ask of a list: each choice of each of its filters, a search, a page, an order."""
    event = str(Event.objects.filter(org__slug="large").values_list("pk", flat=True).first())
    asked = [{}, {"p": "2"}, {"event": event}]
    model_admin = site.get_model_admin(model)
    if model_admin.search_fields:
        asked += [{"q": "person 1777"}, {"q": "person-1777@example.test"}, {"q": "nobody at all"}]
        asked += [{"q": "person"}, {"q": "e"}, {"q": "person", "event": event}]
    for name in model_admin.list_filter:
        if isinstance(name, str):
            field = model._meta.get_field(name)
            asked += [{f"{name}__exact": value} for value, _label in field.flatchoices]
            asked += [{f"{name}__exact": field.flatchoices[-1][0], "q": "person 1777"}]
    return asked


class TestALongList:
    def test_looks_at_few_rows_whatever_is_asked(self, crowded, db):
        """One test: filling the tables takes longer than asking."""
        too_many = []
        for person in PEOPLE:
            client = Client()
            client.force_login(User.objects.get(email=person), backend=BACKEND)
            for model in LISTS:
                address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                client.get(address)
                for question in questions(model):
                    read = looked_at(lambda ask=(address, question), client=client: client.get(*ask))
                    beyond = {table: rows for table, rows in read.items() if table in LARGE and rows > MOST}
                    if beyond:
                        too_many.append((person, model.__name__, question, beyond))
        assert too_many == []

    def test_control_without_the_window_all_of_it_is_read(self, crowded, db, monkeypatch):
        monkeypatch.setattr(LongList, "get_changelist", lambda self, request: ChangeList)
        client = Client()
        client.force_login(User.objects.get(email="ada@large.test"), backend=BACKEND)
        address = reverse("admin:bookings_bookinghistory_changelist")
        read = looked_at(lambda: client.get(address, {"action__exact": "modified"}))
        assert read["booking_history"] > MOST
