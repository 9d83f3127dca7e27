# The base images, pinned by digest. docs/install/helm.md says how to update them. --build-arg replaces them, for example with a mirror.
ARG BUILD=docker.io/library/node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot@sha256:bb6b03d81066993293a10feda7250e8e1cc034035fe9b61cfceededa7c8bf04d

FROM ${BUILD} AS build
WORKDIR /src
COPY .npmrc package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY LICENSE ./
COPY scripts/build.ts scripts/
COPY src src
# The ending .mjs makes it a module without a package.json beside it.
RUN node scripts/build.ts \
  && mkdir /app \
  && cp dist/operator.js /app/operator.mjs \
  && cp LICENSE dist/operator.js.LEGAL.txt /app/

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="konnect-audit-log-operator" \
      org.opencontainers.image.description="Configures Kong Konnect to forward its audit logs to SumoLogic or to another SIEM" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /app /app
# V8 reads the size of its space for new objects only at its start. An idle operator never needs the 16 MiB to which it may grow.
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=1", "/app/operator.mjs"]
