"""The application as `make run` serves it: one that ends with the server that loaded it.

The server's worker is a process of its own and would outlive a killed master, holding the port.
"""

import signal

from .child import die_with_parent

die_with_parent(signal.SIGTERM)

from happening.wsgi import application  # noqa: E402

__all__ = ["application"]
