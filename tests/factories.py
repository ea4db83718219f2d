"""Tenants, people and events to begin a test with. Bookings are made by the services, as in life."""

from datetime import timedelta

import factory
from allauth.account.models import EmailAddress
from django.utils import timezone
from factory.django import DjangoModelFactory

from events.models import Event
from orgs.models import Membership, Organization, User


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")
    slug = factory.Sequence(lambda n: f"organization-{n}")


class UserFactory(DjangoModelFactory):
    """A person without a password; `UserFactory(verified=True)` has a verified address as well."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        verified = factory.Trait(
            address=factory.RelatedFactory("tests.factories.EmailAddressFactory", factory_related_name="user")
        )
        platform_staff = factory.Trait(is_platform_staff=True)

    email = factory.Sequence(lambda n: f"person-{n}@example.test")
    name = factory.Sequence(lambda n: f"Person {n}")
    password = "!"


class EmailAddressFactory(DjangoModelFactory):
    class Meta:
        model = EmailAddress

    user = factory.SubFactory(UserFactory)
    email = factory.SelfAttribute("user.email")
    verified = True
    primary = True


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    class Params:
        admin = factory.Trait(role=Membership.Role.ORG_ADMIN)
        organizer = factory.Trait(role=Membership.Role.ORGANIZER)

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)


class EventFactory(DjangoModelFactory):
    """A public event with ten seats, published, in thirty days."""

    class Meta:
        model = Event

    class Params:
        draft = factory.Trait(published_at=None)
        with_layout = factory.Trait(
            total_slots=10,
            layout={
                "sections": [
                    {
                        "name": "Stalls",
                        "rows": [
                            {"label": "A", "seats": 6, "aisles": [3], "wheelchair": [1]},
                            {"label": "B", "seats": 4},
                        ],
                    }
                ]
            },
        )

    org = factory.SubFactory(OrganizationFactory)
    title = factory.Sequence(lambda n: f"Event {n}")
    category = Event.Category.MEETUP
    event_date = factory.LazyFunction(lambda: timezone.now() + timedelta(days=30))
    ends_at = factory.LazyAttribute(lambda event: event.event_date + timedelta(hours=2))
    time_zone = "Europe/Berlin"
    place = "Town hall"
    total_slots = 10
    published_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        """Insert, and read back what the database's triggers filled in."""
        event = super()._create(model_class, *args, **kwargs)
        event.refresh_from_db(fields=["available_slots", "is_bookable", "version"])
        return event
