"""Use cases: each takes a session, its data, and a keyword-only `now`."""
