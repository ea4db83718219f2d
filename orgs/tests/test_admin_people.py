"""Members, invites and settings of an organization, as its administrator runs them."""

from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from orgs import members
from orgs.models import AccountMail, Invite, Membership, User
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def admin(client):
    membership = MembershipFactory(admin=True)
    client.force_login(membership.user, backend=BACKEND)
    return membership


@pytest.fixture
def member(admin):
    return MembershipFactory(organization=admin.organization)


def page(name, row=None):
    return reverse(f"admin:orgs_{name}", args=[row.pk] if row else [])


class TestInvites:
    def test_are_sent_to_an_address_in_a_role(self, client, admin):
        answer = client.post(page("invite_add"), {"email": "new@example.test", "role": "organizer"})
        assert answer.url == page("invite_changelist")
        invite = Invite.objects.get()
        assert (invite.organization_id, invite.role, invite.invited_by_id) == (
            *[admin.organization_id, "organizer"],
            admin.user_id,
        )
        assert AccountMail.objects.get(kind="invite").recipient == "new@example.test"
        assert LogEntry.objects.get().object_id == str(invite.pk)

    def test_are_refused_for_who_is_a_member_already(self, client, admin, member):
        answer = client.post(page("invite_add"), {"email": member.user.email, "role": "user"})
        assert answer.status_code == 422
        assert "is a member already" in answer.content.decode()

    def test_are_sent_again_and_taken_back(self, client, admin):
        client.post(page("invite_add"), {"email": "new@example.test", "role": "user"})
        invite = Invite.objects.get()
        client.post(page("invite_resend", invite))
        assert AccountMail.objects.filter(kind="invite").count() == 2
        client.post(page("invite_revoke", invite))
        assert Invite.objects.get().status == "revoked"

    def test_are_not_for_organizers(self, client, admin):
        organizer = MembershipFactory(organizer=True, organization=admin.organization)
        client.force_login(organizer.user, backend=BACKEND)
        assert client.get(page("invite_add")).status_code == 403
        assert client.post(page("invite_add"), {"email": "a@example.test", "role": "user"}).status_code == 403
        assert not Invite.objects.exists()


class TestMembers:
    def test_get_a_role_and_single_flags(self, client, member):
        flags = {"grant": ["see_members"], "deny": ["export_attendees"]}
        client.post(page("membership_role", member), {"role": "organizer", **flags})
        member.refresh_from_db()
        assert (member.role, member.permissions) == ("organizer", flags)
        shown = client.get(page("membership_change", member)).content.decode()
        assert "see members and invites" in shown
        assert "take lists of attendees away" not in shown

    def test_are_suspended_reinstated_and_removed(self, client, member):
        client.post(page("membership_suspend", member))
        member.refresh_from_db()
        assert member.status == "suspended"
        client.post(page("membership_reinstate", member))
        member.refresh_from_db()
        assert member.status == "active"
        assert client.post(page("membership_remove", member)).url == page("membership_changelist")
        assert not Membership.objects.filter(pk=member.pk).exists()
        assert LogEntry.objects.count() == 3

    @pytest.mark.parametrize("way", ["removed", "left"])
    def test_that_ended_are_told_of_without_a_name(self, client, member, way):
        """When the person is erased nothing would lead to these lines any more."""
        client.post(page("membership_suspend", member))
        assert str(member.user) in LogEntry.objects.get().object_repr
        if way == "removed":
            client.post(page("membership_remove", member))
        else:
            members.leave(organization_id=member.organization_id, user_id=member.user_id)
        assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {"member"}

    def test_keep_one_administrator(self, client, admin):
        answer = client.post(page("membership_role", admin), {"role": "user"})
        assert answer.status_code == 422
        assert "needs an administrator" in answer.content.decode()


class TestTheWayIn:
    def test_stands_on_the_account_page_of_who_runs_something(self, client, admin, member):
        assert "Manage" in client.get(reverse("account")).content.decode()
        client.force_login(member.user, backend=BACKEND)
        assert "Manage" not in client.get(reverse("account")).content.decode()


class TestSettings:
    def sent(self, organization, **changes) -> dict:
        return {"name": organization.name, "colour": "", "support_email": "", "reminder_hours": "", **changes}

    def test_are_fields_and_leave_what_is_written_elsewhere(self, client, admin):
        organization = admin.organization
        organization.settings = {"mail_domains": ["example.org"], "colour": "#123456"}
        organization.save()
        answer = client.post(
            page("organization_change", organization),
            self.sent(organization, support_email="help@example.org", reminder_hours="24, 2"),
        )
        assert answer.status_code == 302
        organization.refresh_from_db()
        assert organization.settings == {
            "mail_domains": ["example.org"],
            "support_email": "help@example.org",
            "reminder_hours": [24, 2],
        }

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"colour": "blue"}, "# and six digits"),
            ({"colour": "#ffff00"}, "too pale"),
            ({"reminder_hours": "soon"}, "numbers with commas"),
            ({"reminder_hours": "1, 2, 3, 4"}, "three times at most"),
            ({"reminder_hours": "9999"}, "three times at most"),
            ({"name": "\u202eGlobex"}, "people can see and read"),
        ],
    )
    def test_say_what_cannot_be(self, client, admin, change, says):
        url = page("organization_change", admin.organization)
        answer = client.post(url, self.sent(admin.organization, **change))
        assert answer.status_code == 422
        assert says in answer.content.decode()

    def test_keep_a_logo_until_there_is_another_or_none(self, client, admin, settings, tmp_path):
        settings.MEDIA_ROOT = tmp_path
        organization, picture = admin.organization, BytesIO()
        Image.new("RGB", (40, 20), "teal").save(picture, "PNG")
        url = page("organization_change", organization)
        upload = SimpleUploadedFile("../../x.png", picture.getvalue(), "image/png")
        client.post(url, self.sent(organization, logo=upload))
        organization.refresh_from_db()
        kept = organization.settings["logo"]
        assert kept.endswith(".webp")
        client.post(url, self.sent(organization))
        organization.refresh_from_db()
        assert organization.settings["logo"] == kept
        client.post(url, self.sent(organization, no_logo="on"))
        organization.refresh_from_db()
        assert "logo" not in organization.settings

    def test_refuse_a_logo_that_is_no_picture(self, client, admin):
        upload = SimpleUploadedFile("x.svg", b"<svg onload='alert(1)'/>", "image/svg+xml")
        answer = client.post(
            page("organization_change", admin.organization), self.sent(admin.organization, logo=upload)
        )
        assert "No picture could be read" in answer.content.decode()

    def test_let_no_tenant_change_its_domain_or_state(self, client, admin):
        url = page("organization_change", admin.organization)
        client.post(url, self.sent(admin.organization, domain="evil.example", status="closed", slug="www"))
        was = (admin.organization.domain, admin.organization.status, admin.organization.slug)
        admin.organization.refresh_from_db()
        assert (admin.organization.domain, admin.organization.status, admin.organization.slug) == was


class TestPeople:
    @pytest.fixture
    def staff(self, client):
        person = UserFactory(platform_staff=True)
        client.force_login(person, backend=BACKEND)
        return person

    def change(self, client, person, **facts):
        sent = {"name": person.name or "", "phone": "", "status": "active"} | facts
        answer = client.post(page("user_change", person), sent)
        person.refresh_from_db()
        return answer

    def test_are_suspended_by_staff(self, client, staff):
        person = UserFactory()
        assert self.change(client, person, status="suspended").status_code == 302
        assert person.status == "suspended"

    def test_are_not_called_erased_while_all_that_is_known_of_them_stays(self, client, staff):
        person = UserFactory()
        assert self.change(client, person, status="erased").status_code == 422
        assert person.status == "active"

    def test_that_are_erased_stay_so(self, client, staff):
        person = UserFactory()
        User.objects.filter(pk=person.pk).update(status="erased", email=None, name=None)
        assert client.get(page("user_change", person)).status_code == 200
        assert self.change(client, person, name="Nora").status_code == 403
        assert person.status == "erased"

    def test_do_not_shut_themselves_out(self, client, staff):
        assert self.change(client, staff, status="suspended").status_code == 302
        assert (staff.status, staff.is_platform_staff) == ("active", True)

    def test_have_names_that_can_be_seen(self, client, staff):
        answer = self.change(client, UserFactory(), name="\u3164")
        assert answer.status_code == 422
        assert "people can see and read" in answer.content.decode()


class TestWhatTheDatabaseWouldRefuse:
    @pytest.mark.parametrize(
        ("name", "sent", "says"),
        [
            ("user_change", {"phone": "call me"}, "with the country"),
            ("organization_change", {"slug": "A B"}, "small letters, digits and hyphens"),
            ("organization_change", {"domain": "https://acme.example"}, "Write a domain such as"),
            ("organization_change", {"slug": "admin"}, "the platform uses itself"),
            ("keycloakgroup_add", {"path": "acme"}, "its whole path"),
        ],
    )
    def test_is_said_in_a_sentence_of_ours_before(self, client, name, sent, says):
        client.force_login(UserFactory(platform_staff=True), backend=BACKEND)
        person, organization = UserFactory(), OrganizationFactory()
        row = {"user_change": person, "organization_change": organization}.get(name)
        facts = {
            "name": "Acme",
            "slug": "acme",
            "domain": "",
            "phone": "",
            "status": "active",
            "role": "user",
        }
        answer = client.post(page(name, row), {**facts, "organization": organization.pk, **sent})
        assert answer.status_code == 422
        assert says in answer.content.decode()
        assert "Constraint" not in answer.content.decode()

    def test_is_written_as_it_wants_it_where_that_is_clear(self, client):
        client.force_login(UserFactory(platform_staff=True), backend=BACKEND)
        person, organization = UserFactory(), OrganizationFactory()
        phone = {"name": "Nora", "phone": "0049 (30) 90 18 20", "status": "active"}
        domain = {"name": "Acme", "slug": "ACME", "domain": "Acme.Example"}
        assert client.post(page("user_change", person), phone).status_code == 302
        assert client.post(page("organization_change", organization), domain).status_code == 302
        person.refresh_from_db()
        organization.refresh_from_db()
        assert person.phone == "+4930901820"
        assert (organization.slug, organization.domain) == ("acme", "acme.example")
