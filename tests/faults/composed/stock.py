# Read by `manage.py shell` in a container: an organization, two events, and people who are signed in.
import json
import sys
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.utils import timezone

from events.models import Event
from happening.demo.signed_in import signed_in_sessions
from orgs.models import Organization, User

PEOPLE, SEATS, PASSWORD = 400, 5_000, "a long walk by the sea"

now = timezone.now()
org = Organization.objects.create(name="Acme", slug="acme")
event, doomed = (
    Event.objects.create(
        org=org,
        title=title,
        category=Event.Category.MEETUP,
        event_date=now + timedelta(days=30),
        ends_at=now + timedelta(days=30, hours=2),
        time_zone="Europe/Berlin",
        place="Town hall",
        total_slots=SEATS,
        published_at=now,
    )
    for title in ("An evening with Ada", "A garden party")
)
walker = User.objects.create_user(email="walker@load.test", name="Wanda Walker", password=PASSWORD)
EmailAddress.objects.create(user=walker, email=walker.email, verified=True, primary=True)
people = [[f"p{number}@load.test", key] for number, key in enumerate(signed_in_sessions(PEOPLE), start=1)]
events = {"event": str(event.pk), "doomed": str(doomed.pk)}
json.dump(events | {"people": people, "walker": [walker.email, PASSWORD]}, sys.stdout)
