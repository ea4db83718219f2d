import pytest

from tests.schema.refusals import each, refused

OFFENCES = {
    "job_run_outcome_is_known": [{"outcome": "lost", "finished_at": "2100-01-01 00:00Z"}],
    "finished_job_run_says_how": [{"outcome": "done"}, {"finished_at": "2100-01-01 00:00Z"}],
}


class TestJobRuns:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("job_runs", **columns)

    def test_stand_once_for_each_job(self, rows):
        rows.add("job_runs", job="drain_outbox")
        with refused("a_job_has_one_record"):
            rows.add("job_runs", job="drain_outbox")

    def test_know_when_they_were_changed(self, rows):
        run = rows.add("job_runs", updated_at="2000-01-01 00:00Z")
        rows.do("UPDATE job_runs SET started_at = now() WHERE id = %s", run)
        assert rows.value("SELECT updated_at > created_at - interval '1 day' FROM job_runs")
