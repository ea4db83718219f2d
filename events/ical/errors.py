class CalendarUnreadable(Exception):
    """The file as a whole cannot be used; the message is one line for whoever gave it."""


class EntryRefused(Exception):
    """One entry cannot become an event; the message says why and goes beside its name."""
