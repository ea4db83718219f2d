# Happening in one image. What a container does is a line of the Procfile: `web`, `live`, `worker`, `beat`, `sender`.

FROM python:3.11.15-slim-bookworm AS libraries
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install -r requirements.txt && /opt/venv/bin/pip check

FROM python:3.11.15-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp happening \
    && install --directory --owner happening --group happening /data
COPY --from=libraries /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HAPPENING_ENV=production HAPPENING_DATA=/data BEAT_SCHEDULE=/tmp/beat-schedule HOST=0.0.0.0
WORKDIR /app
COPY . .
# Settings are production's, so that static files get their lasting names; no service is asked for anything.
RUN python -m compileall -q . \
    && SECRET_KEY=for-this-line-only ALLOWED_HOSTS=example.org \
    DATABASE_URL=postgres://nobody@127.0.0.1:1/nothing REDIS_URL=redis://127.0.0.1:1 \
    python manage.py collectstatic --noinput
USER 10001:10001
ENTRYPOINT ["/app/deploy/run"]
CMD ["web"]
