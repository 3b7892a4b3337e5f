# One image for every part of Funnel; docker-compose.yml says which part a container plays.
FROM python:3.12.13-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN python -m venv /app/.venv
COPY requirements.lock .
RUN .venv/bin/pip install --require-hashes --requirement requirements.lock
COPY . .
RUN .venv/bin/pip install --no-deps --no-build-isolation --no-index --editable . \
    && .venv/bin/python -m compileall -q funnel blueprint wsgi.py worker.py


FROM python:3.12.13-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fontconfig libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 funnel \
    && useradd --uid 10001 --gid funnel --no-create-home --home-dir /tmp funnel \
    && install -d -o funnel -g funnel -m 0750 /srv/funnel

COPY --from=build /app /app

# Nothing is written next to the code: the root may be read-only, /tmp and /srv/funnel are not.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/tmp \
    STORAGE_URL=file:///srv/funnel/guides
WORKDIR /app
USER funnel
VOLUME /srv/funnel
EXPOSE 8000
STOPSIGNAL SIGTERM
# What a proxy forwards is kept; TRUSTED_PROXIES says how much of it the application believes.
CMD ["waitress-serve", "--listen=*:8000", "--ident=", "--max-request-body-size=2097152", \
     "--max-request-header-size=32768", "--channel-timeout=30", \
     "--no-clear-untrusted-proxy-headers", "wsgi:app"]
