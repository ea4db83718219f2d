"""docker-compose.yml without Docker: each of its services as a process, with the very environment it names.

    browser --https--> nginx --> web, web --> PgBouncer --> PostgreSQL
                             `-> live, live       worker, beat, sender --> RabbitMQ, Redis, SMTP

The files are those of the repository: the compose file, the Dockerfile's lines and what .dockerignore lets
into the image, the Procfile, and everything under deploy/, with secrets by deploy/make-secrets. Only what a
container engine adds is done here instead: a name and port such as `postgres:5432` becomes a port on
loopback, and /run/secrets a directory (`files.Compose.here`). What is shown: a booking from the browser's
side of the proxy to the mail, two of everything, and that the site is whole again within ten seconds of any
one service coming back.
"""
