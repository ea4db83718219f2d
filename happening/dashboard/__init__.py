"""The first page of the admin: how an organization's events are doing, in figures and drawn on the server."""
