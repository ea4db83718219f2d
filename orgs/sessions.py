"""Sessions: rows in PostgreSQL, read from copies in Redis (`session_copies`).

Who is warm in Redis costs PostgreSQL nothing; without Redis every session is its row. A session that ends
while Redis cannot be told so could be read from its copy by a process that still reaches Redis, so then the
person's `session_epoch` is raised, which ends all of their sessions at once: rather one sign-in too many
than a session that comes back. The epoch is part of the hash that Django compares whenever it loads the
person of a session (`User.get_session_auth_hash`), so that comparing it costs nothing either.
"""

import string
from functools import lru_cache, partial

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore as RowStore
from django.core import signing
from django.db import transaction

from orgs import standing_news
from orgs.session_copies import ENDED, copies

KEY_LETTERS = frozenset(string.ascii_lowercase + string.digits)
KEY_LENGTH = 32
REMEMBERED = 10_000  # sessions, by each process


class SessionStore(RowStore):
    def load(self):
        kept = copies.read(self.session_key) if self.session_key else ENDED
        if kept == ENDED:
            self._session_key = None
            return {}
        if kept is not None:
            return self.decode(kept)
        row = self._get_session_from_db()
        if row is None:
            return {}
        self._keep_copy(row.session_data, seconds=self.get_expiry_age(expiry=row.expire_date))
        return self.decode(row.session_data)

    def save(self, must_create=False):
        if self.session_key is None:
            self.create()  # which saves
            return
        super().save(must_create)
        self._keep_copy(self.encode(self._session), seconds=self.get_expiry_age())

    def delete(self, session_key=None):
        key = session_key or self.session_key
        if not key:
            return
        rows = self.model.objects.filter(session_key=key)
        held = rows.values_list("session_data", flat=True).first()
        rows.delete()
        session = self.decode(held) if held else {}
        transaction.on_commit(partial(self._end_copy, key, session))
        if SESSION_KEY in session:
            standing_news.changed(session[SESSION_KEY])

    def decode(self, session_data: str) -> dict:
        """As ever; but a signature that this process has checked once it need not check again."""
        try:
            return self.serializer().loads(_verified(session_data, self.key_salt))
        except signing.BadSignature:
            return super().decode(session_data)  # which says so in the log

    def _keep_copy(self, session: str, *, seconds: float) -> None:
        """Only of what is committed: inside a transaction the copy waits for its end."""
        transaction.on_commit(partial(copies.write, self.session_key, session, seconds=seconds))

    @staticmethod
    def _end_copy(key: str, session: dict) -> None:
        if not copies.end(key) and SESSION_KEY in session:
            get_user_model().objects.filter(pk=session[SESSION_KEY]).end_sessions()

    def _validate_session_key(self, key) -> bool:
        """Only what a key of ours looks like is looked for anywhere."""
        return bool(key) and len(key) == KEY_LENGTH and KEY_LETTERS.issuperset(key)

    async def aload(self):
        return await sync_to_async(self.load)()

    async def asave(self, must_create=False):
        return await sync_to_async(self.save)(must_create)

    async def adelete(self, session_key=None):
        return await sync_to_async(self.delete)(session_key)


class _Bytes:
    """A serializer for what is to stay as it was written."""

    def loads(self, written: bytes) -> bytes:
        return written


@lru_cache(maxsize=REMEMBERED)
def _verified(signed: str, salt: str) -> bytes:
    return signing.loads(signed, salt=salt, serializer=_Bytes)
