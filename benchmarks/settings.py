"""The project's settings, with one more address that answers nothing: what a request costs by itself."""

from happening.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
