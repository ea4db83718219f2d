"""Fault tests: real processes, killed and stalled while a crowd books. `make faults` runs them.

    crowd (threads, real HTTP) --> web, web, worker, beat, sender --> PostgreSQL, Valkey, RabbitMQ, SMTP

Everything on the right is started by the run, on sockets and ports of its own, and ends with it; the
machine's servers are never touched. What each test believes in the end is `checker`, which reads the database
and the crowd's own log and nothing else. What should happen when, and which test shows it: `docs/faults.md`.
"""
