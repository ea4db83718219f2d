from happening.doctor import guards


class TestTheListOfGuards:
    def test_is_what_the_migrations_make(self, db):
        """After a change of migrations: `manage.py doctor --write-guards` on a freshly migrated database."""
        standing, listed = guards.standing(), guards.wanted()
        for kind in guards.KINDS:
            assert standing[kind] == listed[kind], kind
