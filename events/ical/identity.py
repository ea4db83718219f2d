"""How an imported event is found again: `events.source_uid`, unique in its organization.

An entry that stands alone is its UID; one time of a series is the UID, "/" and the time that the series has
for it (20260105T170000Z, or 20260105 for whole days).
"""

import re
from hashlib import sha256

LONGEST = 270  # of the UID's part; the column holds 300
TIME = re.compile(r"/\d{8}(T\d{6}Z)?$")


def identity_of(uid: str, slot: str) -> str:
    return f"{shortened(uid)}/{slot}"


def series_of(identity: str) -> str:
    """The UID's part of an identity."""
    return TIME.sub("", identity)


def shortened(uid: str) -> str:
    """The UID as it is kept: what is too long ends in its fingerprint, so that two never become one."""
    return uid if len(uid) <= LONGEST else f"{uid[:200]}#{sha256(uid.encode()).hexdigest()[:40]}"
