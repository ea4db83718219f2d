"""The one error that leaves this package: a sentence for a person, saying what to do next."""


class ServersUnavailable(Exception):
    """A server that is needed could not be provided. The message says why, and what mends it."""
