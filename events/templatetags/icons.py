"""Icons as SVG in the page, so that they take the colour of their text and need no request.

They only ever repeat what words say, so they are hidden from screen readers.
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe

register = template.Library()

SHAPES = {
    "arrow-left": '<path d="M19 12H5m6-6-6 6 6 6"/>',
    "arrow-right": '<path d="M5 12h14m-6-6 6 6-6 6"/>',
    "bell": '<path d="M6 9a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7Zm4 10a2 2 0 0 0 4 0"/>',
    "building": '<path d="M5 21V5l8-2v18M13 9l6 2v10M3 21h18M8.500 8h1m-1 4h1m-1 4h1"/>',
    "calendar": '<path d="M4 6h16v14H4zM4 10h16M8 3v4m8-4v4"/>',
    "calendar-plus": '<path d="M4 6h16v14H4zM4 10h16M8 3v4m8-4v4m-4 6v5m-2.500-2.500h5"/>',
    "check": '<path d="m5 13 4.500 4.500L19 7"/>',
    "check-circle": '<circle cx="12" cy="12" r="9"/><path d="m8 12.500 2.800 2.800L16 9.500"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.500 2"/>',
    "close": '<path d="m6 6 12 12M18 6 6 18"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5m0-8.500v.01"/>',
    "line": '<circle cx="5" cy="9" r="2"/><circle cx="12" cy="9" r="2"/><circle cx="19" cy="9" r="2"/>'
    '<path d="M2.500 18c0-3 1-4 2.500-4s2.500 1 2.500 4m2 0c0-3 1-4 2.500-4s2.500 1 2.500 4m2 0c0-3 1-4 '
    '2.500-4s2.500 1 2.500 4"/>',
    "mail": '<path d="M3 6h18v12H3zm0 1 9 7 9-7"/>',
    "map": '<path d="M12 21s7-6.500 7-11.500a7 7 0 1 0-14 0C5 14.500 12 21 12 21Z"/>'
    '<circle cx="12" cy="9.500" r="2.500"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4 21c.5-5 3.500-7 8-7s7.500 2 8 7"/>',
    "screen": '<path d="M3 5h18v12H3zm6 16h6m-3-4v4"/>',
    "search": '<circle cx="11" cy="11" r="6.500"/><path d="m16 16 4.500 4.500"/>',
    "seat": '<path d="M7 4v9h10V4M5 10v7h14v-7M7 17v3m10-3v3"/>',
    "ticket": '<path d="M3 7h18v3.500a1.500 1.500 0 0 0 0 3V17H3v-3.500a1.500 1.500 0 0 0 0-3zm11 0v10" '
    'stroke-dasharray="none"/>',
    "warning": '<path d="M12 4 2.500 20h19zm0 6v5m0 2.500v.01"/>',
    "wheelchair": '<circle cx="11" cy="4.500" r="1.800"/><path d="M11 8v6h5l2.500 5M11 11h4"/>'
    '<path d="M8.500 11.500a5 5 0 1 0 6 7.500"/>',
    # One for each category of events
    "webinar": '<path d="M3 5h18v12H3zm6 16h6m-3-4v4m-1.500-12.500 4 2.500-4 2.500z"/>',
    "concert": '<path d="M9 18V6l11-2v12"/><circle cx="6.500" cy="18" r="2.500"/>'
    '<circle cx="17.500" cy="16" r="2.500"/>',
    "hackathon": '<path d="m8 7-5 5 5 5m8-10 5 5-5 5M13.500 5l-3 14"/>',
    "conference": '<path d="M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3Zm-7 8a7 7 0 0 0 14 0'
    'm-7 7v3m-4 0h8"/>',
    "workshop": '<path d="m14 6 4-3 3 3-3 4-2 0L6.500 19.500a2 2 0 0 1-3-3L13 7z"/>',
    "meetup": '<circle cx="8.500" cy="8" r="3.500"/><circle cx="17" cy="9.500" r="2.500"/>'
    '<path d="M2.500 20c.3-4 2.500-6 6-6s5.700 2 6 6m.5-5c3.500-.8 6 1 6.500 4"/>',
    "other": '<path d="m12 3 2.500 6.500L21 12l-6.500 2.500L12 21l-2.500-6.500L3 12l6.500-2.500z"/>',
}


@register.simple_tag
def icon(name: str) -> str:
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{}</svg>',
        mark_safe(SHAPES[name]),  # noqa: S308 - the shapes above
    )
