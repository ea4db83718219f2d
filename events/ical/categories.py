"""The category of an event by the words that calendars use for it."""

import re

WORDS = {
    "webinar": ("webinar", "webcast"),
    "concert": ("concert", "gig", "konzert", "concierto"),
    "hackathon": ("hackathon", "hack day", "hackday"),
    "conference": ("conference", "congress", "summit", "symposium", "konferenz"),
    "workshop": ("workshop", "masterclass", "course", "training"),
    "meetup": ("meetup", "meet-up", "meet up", "user group", "stammtisch"),
}


def category_of(labels: list[str]) -> str | None:
    """Which of our categories the labels name; "other" for labels of another kind, None without any."""
    for label in labels:
        for category, words in WORDS.items():
            if any(re.search(rf"\b{word}s?\b", label.casefold()) for word in words):
                return category
    return "other" if labels else None
