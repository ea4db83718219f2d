"""Whom the provider knows: the demo's accounts, and one person who has never been at the site."""

from uuid import UUID, uuid5

from happening.demo.people import ACCOUNTS

NAMESPACE = UUID("5b2e7c1a-93f0-4f0e-8b8e-6d1f4c7a2e90")
NEWCOMER = "nora@acme.test"
ORGANIZERS = "/acme/organizers"
PEOPLE = {**ACCOUNTS, NEWCOMER: "Nora Haugen"}
GROUPS = {NEWCOMER: [ORGANIZERS], "otto@acme.test": [ORGANIZERS]}


def subject_of(email: str) -> str:
    """The same on every machine, so that the demo's accounts can be connected beforehand."""
    return str(uuid5(NAMESPACE, email))
