"""What keeps tenants apart, and who they belong to."""

import pytest

from tests.schema.refusals import refused

NOW = "SET CONSTRAINTS ALL IMMEDIATE"  # as at the end of a transaction


class TestAnOrganization:
    @pytest.fixture
    def org(self, rows):
        return rows.add("organizations")

    @pytest.fixture
    def admin(self, rows, org):
        return rows.add("organization_users", organization_id=org, role="orgAdmin")

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE organization_users SET role = 'organizer' WHERE id = %s",
            "UPDATE organization_users SET status = 'suspended' WHERE id = %s",
            "DELETE FROM organization_users WHERE id = %s",
        ],
    )
    def test_keeps_an_administrator(self, rows, admin, change):
        with refused("an_organization_keeps_an_administrator"):
            rows.do(change, admin)
            rows.do(NOW)

    def test_keeps_one_who_can_act(self, rows, org, admin):
        gone = rows.add("users", status="suspended")
        rows.add("organization_users", organization_id=org, role="orgAdmin", user_id=gone)
        with refused("an_organization_keeps_an_administrator"):
            rows.do("DELETE FROM organization_users WHERE id = %s", admin)
            rows.do(NOW)

    def test_changes_hands_in_one_transaction_in_any_order(self, rows, org, admin):
        member = rows.add("organization_users", organization_id=org)
        rows.do("UPDATE organization_users SET role = 'user' WHERE id = %s", admin)
        rows.do("UPDATE organization_users SET role = 'orgAdmin' WHERE id = %s", member)
        rows.do(NOW)

    def test_never_keeps_a_person_from_leaving_the_platform(self, rows, admin):
        person = rows.value("SELECT user_id FROM organization_users WHERE id = %s", admin)
        rows.do("UPDATE users SET status = 'erased' WHERE id = %s", person)
        rows.do("DELETE FROM organization_users WHERE id = %s", admin)
        rows.do(NOW)

    def test_lets_its_administrators_go_once_it_is_closed(self, rows, org, admin):
        rows.do("UPDATE organizations SET status = 'closed' WHERE id = %s", org)
        rows.do("DELETE FROM organization_users WHERE id = %s", admin)
        rows.do(NOW)

    @pytest.mark.parametrize("status", ["active", "suspended"])
    def test_is_deleted_only_when_it_is_closed(self, rows, status):
        org = rows.add("organizations", status=status)
        with refused("only_a_closed_organization_is_deleted"):
            rows.do("DELETE FROM organizations WHERE id = %s", org)

    def test_closes_only_after_its_events_are_over_or_cancelled(self, rows, org):
        event = rows.add("events", org_id=org, published_at="2020-01-01")
        with refused("an_organization_closes_after_its_events"):
            rows.do("UPDATE organizations SET status = 'closed' WHERE id = %s", org)
        rows.do("UPDATE events SET status = 'cancelled' WHERE id = %s", event)
        rows.do("UPDATE organizations SET status = 'closed' WHERE id = %s", org)

    def test_closes_with_drafts_that_nobody_ever_saw(self, rows, org):
        rows.add("events", org_id=org)
        rows.do("UPDATE organizations SET status = 'closed' WHERE id = %s", org)


class TestAnEvent:
    def test_stays_with_its_organization(self, rows):
        event, other = rows.add("events", org_id=rows.add("organizations")), rows.add("organizations")
        with refused("an_event_stays_with_its_organization"):
            rows.do("UPDATE events SET org_id = %s WHERE id = %s", other, event)


@pytest.mark.parametrize("table", ["notifications", "booking_history"])
class TestARowThatNamesSeveralParents:
    @pytest.fixture
    def org(self, rows):
        return rows.add("organizations")

    @pytest.fixture
    def event(self, rows, org):
        return rows.add("events", org_id=org)

    def test_may_name_those_that_belong_together(self, rows, table, org, event):
        rows.add(table, org_id=org, event_id=event, booking_id=rows.add("bookings", event_id=event))

    def test_is_refused_when_the_event_is_another_organizations(self, rows, table, event):
        with refused("nothing_belongs_to_two_tenants"):
            rows.add(table, org_id=rows.add("organizations"), event_id=event)

    def test_is_refused_when_the_booking_is_another_organizations(self, rows, table, event):
        booking = rows.add("bookings", event_id=event)
        with refused("nothing_belongs_to_two_tenants"):
            rows.add(table, org_id=rows.add("organizations"), booking_id=booking)

    def test_is_refused_when_the_booking_is_of_another_event(self, rows, table, org, event):
        booking = rows.add("bookings", event_id=rows.add("events", org_id=org))
        with refused("nothing_belongs_to_two_tenants"):
            rows.add(table, org_id=org, event_id=event, booking_id=booking)

    def test_may_outlive_what_it_names(self, rows, table, nobody, org):
        rows.add(table, org_id=org, event_id=nobody, booking_id=nobody)


class TestAMessage:
    def test_never_becomes_another_tenants(self, rows):
        org = rows.add("organizations")
        rows.add("notifications", org_id=org, event_id=rows.add("events", org_id=org))
        with refused("nothing_belongs_to_two_tenants"):
            rows.do("UPDATE notifications SET org_id = %s", rows.add("organizations"))


class TestTheHistoryOfMemberships:
    LINES = (
        "SELECT action, details ->> 'role', details -> 'was' ->> 'role' FROM membership_history ORDER BY 1"
    )

    def test_knows_who_came_rose_and_left_whoever_wrote_it(self, rows):
        member = rows.add("organization_users", role="user")
        rows.do("UPDATE organization_users SET role = 'organizer' WHERE id = %s", member)
        rows.do("DELETE FROM organization_users WHERE id = %s", member)
        assert rows.all(self.LINES) == [
            ("changed", "organizer", "user"),
            ("joined", "user", None),
            ("left", "organizer", None),
        ]

    def test_knows_by_whom(self, rows, nobody):
        rows.do("SELECT set_config('happening.actor', %s, true)", str(nobody))
        rows.add("organization_users")
        assert rows.value("SELECT actor_id FROM membership_history") == nobody

    def test_says_nothing_of_a_write_that_changed_nothing(self, rows):
        rows.add("organization_users")
        rows.do("UPDATE organization_users SET role = role")
        assert rows.value("SELECT count(*) FROM membership_history") == 1

    def test_says_nothing_of_rows_that_are_copied_back(self, rows):
        rows.add("organization_users", created_at="2020-01-01")
        assert rows.value("SELECT count(*) FROM membership_history") == 0

    def test_outlives_the_organization(self, rows):
        org = rows.add("organizations", status="closed")
        rows.add("organization_users", organization_id=org)
        rows.do("DELETE FROM organizations WHERE id = %s", org)
        assert rows.column("SELECT action FROM membership_history ORDER BY 1") == ["joined", "left"]

    def test_takes_no_other_action(self, rows):
        with refused("membership_history_action_is_known"):
            rows.add("membership_history", action="danced")

    @pytest.mark.parametrize(
        "change", ["UPDATE membership_history SET action = 'left'", "DELETE FROM membership_history"]
    )
    def test_is_only_ever_added_to(self, rows, change):
        rows.add("membership_history")
        with refused("membership_history_is_append_only"):
            rows.do(change)
