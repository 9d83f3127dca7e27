# What builds and what runs; both can be replaced with --build-arg, for instance by mirrors of theirs.
ARG BUILD=docker.io/library/node:24-bookworm-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

FROM ${BUILD} AS build
WORKDIR /src
COPY .npmrc package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY LICENSE ./
COPY scripts/build.ts scripts/
COPY src src
# As .mjs: no package.json lies beside it that would say so.
RUN node scripts/build.ts \
  && mkdir /app \
  && cp dist/operator.js /app/operator.mjs \
  && cp LICENSE dist/operator.js.LEGAL.txt /app/

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="konnect-audit-log-operator" \
      org.opencontainers.image.description="Keeps Kong Konnect audit-log forwarding to SumoLogic, or to any other SIEM, configured" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /app /app
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "/app/operator.mjs"]
