"""The page of the platform's staff: whether all of it works, and where it is slow."""
