"""Reading iCalendar: a file as the calendar programs of the world write them becomes plain facts.

    load (a path's bytes) -> lines (unfolded, decoded) -> blocks (one entry each, with its line)
    -> entries (one block's facts) -> series (recurrences up to a horizon) -> Reading

Nothing here knows the database or the network, and what comes out is safe to show: texts are plain, moments
are in UTC with a zone that exists, and a file can cost no more than the bounds written beside the code. What
is wrong with the file as a whole raises `CalendarUnreadable`; what is wrong with one entry leaves that entry
out and is named in `Reading.skipped`.
"""

from events.ical.errors import CalendarUnreadable
from events.ical.facts import Occurrence, Reading, Skipped
from events.ical.reading import read
from events.ical.source import load

__all__ = ["CalendarUnreadable", "Occurrence", "Reading", "Skipped", "load", "read"]
