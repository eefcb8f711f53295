# The image of one edition: docker build --build-arg EDITION=starter --tag stackseal:starter .
# It is built from the hash-locked packages of requirements/, so building needs a package index; running needs no network
# but the way to AWS. docs/how-to/image.md says how to use it, and how the digest of the base is renewed.
FROM python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b AS build
WORKDIR /src
COPY requirements requirements
RUN python -m venv /opt/stackseal \
    && /opt/stackseal/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/runtime.txt \
    && python -m venv /opt/builder \
    && /opt/builder/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/build.txt
COPY . .
# Byte code is made here, because whoever runs the image cannot write it and would wait for it each time.
RUN /opt/builder/bin/hatchling build -t wheel -d /opt/wheel \
    && /opt/stackseal/bin/pip install --no-cache-dir --no-deps --no-index /opt/wheel/*.whl \
    && /opt/stackseal/bin/stackseal --install-checkov \
    && /opt/stackseal/bin/python -m compileall -q /opt/stackseal
ARG EDITION
RUN /opt/stackseal/bin/python scripts/image_layout.py /app --edition "$EDITION"

# The base has Debian's coreutils: `--entrypoint cp` takes the documentation and the examples out.
FROM python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin mluser
COPY --from=build /opt/stackseal /opt/stackseal
COPY --from=build --chown=mluser:mluser /app /app
ARG EDITION
ENV STACKSEAL_EDITION="$EDITION" \
    HOME="/home/mluser" \
    PATH="/opt/stackseal/bin:/usr/local/bin:/usr/bin:/bin" \
    PYTHONSAFEPATH="1"
LABEL org.opencontainers.image.title="stackseal" \
    org.opencontainers.image.licenses="Apache-2.0"
USER mluser
WORKDIR /app
ENTRYPOINT ["stackseal", "--root", "/app"]
CMD ["--help"]
