"""The provider as a program: makes its database what it must be, then serves.

    python -m happening.demo.identity.serve

Where it cannot have a database the site goes on without it, so then it only says so and waits for its end.
"""

import os
import signal
import sys
from urllib.parse import urlsplit

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from psycopg import sql

from happening.demo.identity.people import GROUPS, PEOPLE
from happening.demo.people import PASSWORD


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "happening.demo.identity.settings"
    django.setup()
    try:
        make_database()
    except psycopg.Error as error:
        sys.stdout.write(f"No single sign-on here, since it gets no database: {error}\n")
        signal.pause()
    if "oauth2_provider_application" not in connection.introspection.table_names():
        call_command("migrate", interactive=False, verbosity=0)
    enter_people()
    enter_client()
    words = "--interface wsgi --host 127.0.0.1 --workers 1 --blocking-threads 2 --log-level error"
    served = ["granian", "happening.demo.identity.wsgi:application", *words.split()]
    port = str(urlsplit(settings.ISSUER).port)
    os.execv(sys.executable, [sys.executable, "-m", *served, "--port", port])  # noqa: S606


def make_database() -> None:
    """Make the provider's database, beside Happening's and with the same rights, where it is missing."""
    wanted = settings.DATABASES["default"]
    facts = {"host": wanted["HOST"], "port": wanted["PORT"], "user": wanted["USER"]}
    with psycopg.connect(
        dbname=wanted["NAME"].removesuffix("_identity"),
        password=wanted["PASSWORD"],
        autocommit=True,
        **{name: fact for name, fact in facts.items() if fact},
    ) as main_database:
        found = main_database.execute("SELECT FROM pg_database WHERE datname = %s", [wanted["NAME"]])
        if found.fetchone() is None:
            main_database.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(wanted["NAME"])))


@transaction.atomic
def enter_people() -> None:
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import Group, User

    known = set(User.objects.values_list("email", flat=True))
    password = make_password(PASSWORD) if set(PEOPLE) - known else ""
    for email, name in PEOPLE.items():
        if email not in known:
            person = User.objects.create(username=email, email=email, first_name=name, password=password)
            person.groups.set(Group.objects.get_or_create(name=name)[0] for name in GROUPS.get(email, []))


def enter_client() -> None:
    """The site, with the secret that both were given for this run."""
    from oauth2_provider.models import Application

    site = settings.SITE_URL.rstrip("/")
    Application.objects.update_or_create(
        client_id=settings.CLIENT_ID,
        defaults={
            "name": "Happening",
            "client_secret": settings.CLIENT_SECRET,
            "client_type": Application.CLIENT_CONFIDENTIAL,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "algorithm": Application.RS256_ALGORITHM,
            "redirect_uris": f"{site}/oidc/callback/",
            "post_logout_redirect_uris": f"{site}/",
            "skip_authorization": True,
        },
    )


if __name__ == "__main__":
    main()
