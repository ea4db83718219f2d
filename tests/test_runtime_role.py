"""That tests which connect as the application really do."""

import pytest
from django.db import ProgrammingError, connection

from orgs.models import User
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]


class TestTheRuntimeRole:
    def test_is_who_the_test_connects_as(self, runtime_role):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == (runtime_role,)

    def test_reads_and_writes_rows(self):
        person = UserFactory()
        assert User.objects.filter(pk=person.pk).exists()

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE loot ()",
            "DROP TABLE bookings",
            "TRUNCATE booking_history",
            "DELETE FROM booking_history",
            "UPDATE booking_history SET details = '{}'",
            "SELECT archive_booking_history(now())",
        ],
    )
    def test_may_do_no_more(self, statement):
        with (
            pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
            connection.cursor() as c,
        ):
            c.execute(statement)
