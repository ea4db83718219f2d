"""The roles on a real server: what they grant, what the check finds, and that a booking needs no more."""

import json
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from happening import database_roles
from happening.database_roles import Names
from notifications.models import Notification
from orgs import invites, members
from orgs.models import Membership
from tests.factories import EventFactory, MembershipFactory, UserFactory


@pytest.fixture
def names():
    """Roles of this test's own: a server has one set for all of its databases."""
    mark = uuid4().hex[:8]
    return Names(f"owner_{mark}", f"runtime_{mark}", f"reports_{mark}")


def run(statements) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.django_db
class TestAuditPermissions:
    """Roles are made and dropped with the test's transaction."""

    @pytest.fixture
    def granted(self, names):
        run(database_roles.roles_sql(names))
        run(database_roles.ownership_sql(names))
        run(database_roles.grants_sql(names))
        run([f"SET LOCAL ROLE {names.runtime}"])
        return names

    def found(self, names) -> list[str]:
        return [finding.says for finding in database_roles.findings(names)]

    def test_finds_nothing_where_its_own_sql_was_run(self, granted):
        assert self.found(granted) == []

    def test_finds_the_roles_that_are_missing(self, names):
        found = self.found(names)
        for role in vars(names).values():
            assert f"There is no role {role}." in found

    @pytest.mark.parametrize(
        ("gone_wrong", "says"),
        [
            ("GRANT DELETE ON booking_history TO {runtime}", "{runtime} may DELETE on booking_history."),
            (
                "GRANT UPDATE ON membership_history TO {runtime}",
                "{runtime} may UPDATE on membership_history.",
            ),
            ("GRANT TRUNCATE ON bookings TO {runtime}", "{runtime} may TRUNCATE on bookings."),
            ("REVOKE INSERT ON bookings FROM {runtime}", "{runtime} may not INSERT on bookings."),
            ("GRANT CREATE ON SCHEMA public TO {runtime}", "{runtime} may make tables."),
            (
                "GRANT EXECUTE ON FUNCTION archive_booking_history TO {runtime}",
                "{runtime} may take lines out of the history.",
            ),
            (
                "ALTER ROLE {runtime} CREATEROLE",
                "{runtime} may do what nobody of the application should: createrole.",
            ),
            (
                "ALTER TABLE event_jobs OWNER TO {runtime}",
                "{runtime} owns tables, so it may do everything to them.",
            ),
            ("GRANT SELECT ON users TO {reports}", "{reports} may read password, session_epoch of users."),
            ("GRANT UPDATE ON events TO {reports}", "{reports} may UPDATE on events."),
        ],
    )
    def test_finds_what_is_too_much_or_too_little(self, granted, gone_wrong, says):
        run(["RESET ROLE", gone_wrong.format(**vars(granted)), f"SET LOCAL ROLE {granted.runtime}"])
        assert says.format(**vars(granted)) in self.found(granted)

    def test_says_so_to_programs_and_fails(self, names, capsys):
        with pytest.raises(SystemExit) as end:
            call_command("audit_permissions", json=True, **vars(names))
        assert end.value.code == 1
        answer = json.loads(capsys.readouterr().out)
        assert answer["ok"] is False
        assert answer["findings"][0]["mend"]

    def test_writes_sql_that_can_be_run_again(self, names, capsys):
        for _ in range(2):
            call_command("audit_permissions", sql=True, **vars(names))
            run([capsys.readouterr().out])
        run([f"SET LOCAL ROLE {names.runtime}"])
        assert self.found(names) == []

    def test_applies_it_itself_and_says_what_is_left(self, names, capsys):
        with pytest.raises(SystemExit):  # the tests run as one who may do everything
            call_command("audit_permissions", apply=True, **vars(names))
        assert "1 to mend." in capsys.readouterr().out
        run([f"SET LOCAL ROLE {names.runtime}"])
        assert self.found(names) == []


@pytest.fixture
def as_the_runtime_role(transactional_db, names):
    """From here on every connection of this process has the runtime's rights and no others."""
    run(database_roles.roles_sql(names))
    run(database_roles.grants_sql(names))
    options = connection.settings_dict["OPTIONS"]
    before = options["options"]

    def begin():
        connection.close()
        options["options"] = f"{before} -c role={names.runtime}"

    yield begin
    connection.close()
    options["options"] = before
    for role in (names.runtime, names.reports, names.owner):
        run([f"DROP OWNED BY {role}", f"DROP ROLE {role}"])


class TestTheRuntimeRole:
    def test_suffices_for_everything_about_a_booking(self, as_the_runtime_role):
        admin = MembershipFactory(admin=True, user__verified=True)
        event = EventFactory(org=admin.organization, total_slots=2)
        ada, bob = UserFactory(verified=True), UserFactory(verified=True)
        as_the_runtime_role()
        first, second = Client(), Client()
        first.force_login(ada)
        second.force_login(bob)
        book = f"/events/{event.pk}/book/"

        assert first.post(book, {"seats": 2, "idempotency_key": uuid4()}).status_code == 303
        assert second.post(book, {"seats": 1, "or_wait": "on", "idempotency_key": uuid4()}).status_code == 303
        booking, waiting = Booking.objects.get(user=ada), Booking.objects.get(user=bob)
        modify = f"/bookings/{booking.pk}/modify/"
        assert first.post(modify, {"seats": 1, "version": booking.version}).status_code == 303
        waiting.refresh_from_db()
        assert waiting.is_confirmed
        booking.refresh_from_db()
        cancel = f"/bookings/{booking.pk}/cancel/"
        assert first.post(cancel, {"version": booking.version}).status_code == 303
        assert first.post("/notifications/read/").status_code == 302
        assert BookingHistory.objects.count() == 5
        assert Notification.objects.filter(user=bob).count() == 2

    def test_suffices_for_members_and_invites(self, as_the_runtime_role):
        admin = MembershipFactory(admin=True, user__verified=True)
        as_the_runtime_role()
        now, facts = timezone.now(), {"organization_id": admin.organization_id, "actor_id": admin.user_id}
        invites.invite(email="ada@example.test", role="user", now=now, **facts)
        member = members.join(user_id=UserFactory().pk, role="user", now=now, **facts)
        members.remove(membership_id=member.pk, actor_id=admin.user_id, now=now)
        assert Membership.objects.count() == 1

    @pytest.mark.parametrize(
        "forbidden",
        [
            "DELETE FROM booking_history",
            "UPDATE booking_history SET action = 'created'",
            "TRUNCATE booking_history",
            "DELETE FROM membership_history",
            "DELETE FROM bookings",
            "DELETE FROM users",
            "TRUNCATE notifications",
            "SELECT archive_booking_history(now())",
            "CREATE TABLE anything (id integer)",
            "ALTER TABLE bookings DISABLE TRIGGER ALL",
            "DROP INDEX idx_booking_seats_unique",
            "ALTER TABLE bookings ADD COLUMN price integer",
        ],
    )
    def test_suffices_for_nothing_else(self, as_the_runtime_role, forbidden):
        as_the_runtime_role()
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
            run([forbidden])
