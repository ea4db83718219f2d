"""Events: what they are called, when they end, how many seats they have."""

from happening.adopting.rules.rule import Rule, assign

TAKEN = "(SELECT count(*) FROM booking_seats WHERE event_id = line.id AND status = 'booked')"
ROOM = "Raise total_slots of the event, or cancel a booking, and run this again."

RULES = (
    Rule(
        "event_title_is_not_empty",
        "events",
        "there is no title",
        r"line.title !~ '\S'",
        assign("events", "title = 'Untitled event'"),
        "it is called Untitled event",
    ),
    Rule(
        "event_time_zone_is_not_empty",
        "events",
        "there is no time zone",
        r"line.time_zone !~ '\S'",
        assign("events", "time_zone = 'UTC'"),
        "it is UTC",
    ),
    Rule(
        "event_ends_after_it_starts",
        "events",
        "it ends before it starts",
        "line.ends_at <= line.event_date",
        assign("events", "ends_at = NULL"),
        "its end is emptied",
    ),
    Rule(
        "event_has_at_least_one_seat",
        "events",
        "it has no seats",
        "line.total_slots < 1",
        by_hand="Give it the seats that it has (total_slots), or delete it.",
    ),
    Rule(
        "capacity_holds_every_booked_seat",
        "events",
        "more seats are booked than there are",
        f"line.total_slots >= 1 AND line.total_slots < {TAKEN}",
        by_hand=ROOM,
    ),
)
