"""Secrets that come as files: `SECRET_KEY_FILE=/run/secrets/secret_key` stands for SECRET_KEY.

What is in the environment is seen by `docker inspect` and lands in reports of crashes; a file is read by
whoever may read it. Settings call this before they read anything.
"""

from collections.abc import MutableMapping
from pathlib import Path

SECRETS = (
    *("SECRET_KEY", "DATABASE_URL", "HISTORY_DATABASE_URL", "REDIS_URL", "AMQP_URL", "EMAIL_URL"),
    *("OIDC_CLIENT_SECRET", "METRICS_TOKEN"),
)


def read_secret_files(environment: MutableMapping[str, str]) -> None:
    """Put the content of each `<SECRET>_FILE` in place of the secret, without the white space around it.

    The file wins over a value that is there as well, so that processes started by this one may read it again.

    Raises:
        OSError: a file that is named cannot be read.
        ValueError: it is empty.
    """
    for secret in SECRETS:
        if path := environment.get(f"{secret}_FILE"):
            content = Path(path).read_text().strip()
            if not content:
                raise ValueError(f"{secret}_FILE names {path}, which is empty.")
            environment[secret] = content
