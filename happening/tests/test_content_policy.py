"""What browsers may load: on every answer, but Django's own pages for developers."""

import pytest
from django.http import HttpResponse

from happening.content_policy import ContentPolicy


@pytest.fixture
def policy_of(rf):
    def policy_of(answer):
        return ContentPolicy(lambda request: answer)(rf.get("/")).headers.get("Content-Security-Policy")

    return policy_of


class TestContentPolicy:
    def test_is_on_every_answer(self, policy_of):
        policy = policy_of(HttpResponse())
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert policy_of(HttpResponse(status=404)) == policy

    def test_leaves_an_answer_its_own(self, policy_of):
        answer = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
        assert policy_of(answer) == "default-src 'none'"

    def test_is_not_on_the_pages_for_developers(self, policy_of, settings):
        settings.DEBUG = True
        assert policy_of(HttpResponse(status=500)) is None
        assert policy_of(HttpResponse(status=200))
