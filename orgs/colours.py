"""Contrast between colours, as WCAG 2.2 measures it, and the nearest colour that can be read.

https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio. Colours are written `#rrggbb`.
"""

import re

READABLE = 4.5  # WCAG AA for text of ordinary size
PAPER_LIGHT, PAPER_DARK = "#f4f1ec", "#2a2733"  # the darkest light ground of our pages, the lightest dark one
WHITE, BLACK = "#ffffff", "#000000"
STEPS = 50


def is_colour(written) -> bool:
    return isinstance(written, str) and re.fullmatch("#[0-9a-fA-F]{6}", written) is not None


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black and white)."""
    darker, lighter = sorted([_luminance(one), _luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def is_readable(colour: str, *, on: str) -> bool:
    return contrast(colour, on) >= READABLE


def readable_on_light(colour: str) -> str:
    """`colour`, darkened as little as it takes to be read on our light pages."""
    return _towards(colour, BLACK, on=PAPER_LIGHT)


def readable_on_dark(colour: str) -> str:
    """`colour`, lightened as little as it takes to be read on our dark pages."""
    return _towards(colour, WHITE, on=PAPER_DARK)


def ink_on(colour: str) -> str:
    """White or black, whichever is read better on `colour`; one of them always can be."""
    return max(WHITE, BLACK, key=lambda ink: contrast(ink, colour))


def _towards(colour: str, end: str, *, on: str) -> str:
    mixes = (_mix(colour, end, step / STEPS) for step in range(STEPS + 1))
    return next(mixed for mixed in mixes if is_readable(mixed, on=on))


def _mix(colour: str, end: str, share: float) -> str:
    mixed = (round(of + (to - of) * share) for of, to in zip(_channels(colour), _channels(end), strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _luminance(colour: str) -> float:
    shares = (channel / 255 for channel in _channels(colour))
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, int, int]:
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
