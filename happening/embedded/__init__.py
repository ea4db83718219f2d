"""PostgreSQL and Valkey for a machine that has none: real servers, started when needed, gone when not.

    user (manage.py, make run, pytest)  --connection-->  keeper  --children-->  postgres, valkey-server

Every process that needs a server holds a connection to one small *keeper* process for its data
directory (`lease`), and the keeper owns the servers (`keeper`). The first user starts the keeper,
further users share it, and when the last connection closes, in whatever way, it stops the servers
and ends. What may fail, and what heals it:

- a user is killed: the kernel closes its connection, which is all the keeper waits for;
- the keeper is killed: the kernel signals its children, which shut down cleanly (`child`);
- a server is killed: the keeper starts it again on the same socket with the same password;
- all are killed: files and sockets that remain are dead weight, because every lock is a `flock`
  that ends with its holder. The server's lock is inherited by the server, so a new keeper waits for
  the last process of the old one and never starts a second server on the same data.

`environment.provide` is the door: it fills `os.environ` before Django's settings are read.
"""
