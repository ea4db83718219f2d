from django.db import migrations, models

from orgs.migrating import AddIndexSafely, AddUniqueSafely


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("bookings", "0003_improved_checks"),
    ]

    operations = [
        AddIndexSafely(
            model_name="booking",
            index=models.Index(fields=["event", "status", "id"], name="idx_bookings_event_id"),
        ),
        AddIndexSafely(
            model_name="booking",
            index=models.Index(fields=["user", "-created_at", "-id"], name="idx_bookings_user_id"),
        ),
        AddIndexSafely(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["event", "seats", "waiting_number"],
                name="idx_bookings_waiting_parties",
            ),
        ),
        AddIndexSafely(
            model_name="bookinghistory",
            index=models.Index(
                fields=["booking_id", "created_at", "id"], name="idx_booking_history_booking_id"
            ),
        ),
        AddIndexSafely(
            model_name="bookinghistory",
            index=models.Index(fields=["event_id", "created_at"], name="idx_booking_history_event_id"),
        ),
        AddIndexSafely(
            model_name="bookinghistory",
            index=models.Index(
                condition=models.Q(("details__has_key", "stood_at")),
                fields=["event_id", "created_at"],
                name="idx_booking_history_passing",
            ),
        ),
        AddIndexSafely(
            model_name="bookinghistory",
            index=models.Index(fields=["created_at"], name="idx_booking_history_created_at"),
        ),
        AddIndexSafely(
            model_name="bookinghistory",
            index=models.Index(fields=["org_id", "created_at", "id"], name="idx_booking_history_org_id"),
        ),
        AddIndexSafely(
            model_name="bookingseat",
            index=models.Index(fields=["booking"], name="idx_booking_seats_booking_id"),
        ),
        AddIndexSafely(
            model_name="bookingseat",
            index=models.Index(fields=["event"], name="idx_booking_seats_event_id"),
        ),
        AddUniqueSafely(
            model_name="booking",
            constraint=models.UniqueConstraint(fields=("id", "event"), name="a_booking_has_one_event"),
        ),
        AddUniqueSafely(
            model_name="booking",
            constraint=models.UniqueConstraint(
                fields=("event", "user", "idempotency_key"), name="a_form_books_once"
            ),
        ),
        AddUniqueSafely(
            model_name="booking",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "waiting")),
                fields=("event", "waiting_number"),
                name="nobody_shares_a_waiting_number",
            ),
        ),
    ]
