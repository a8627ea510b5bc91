# Ampule's images. deploy/images/build makes them all; one alone:
#   DOCKER_BUILDKIT=1 docker build --target agent -t ampule/agent .
# Targets: agent, agent-compat (works under HashiCorp's injector), injector, cli, sandbox (development only), and sbom (the lists of parts).
# For linux/amd64 and linux/arm64: the programs are compiled across, nothing runs under emulation.
ARG BASE=debian:bookworm-slim

# ------------------------------------------------------------------------------------- everything is made here, nothing of it is kept
FROM --platform=$BUILDPLATFORM ${BASE} AS build
COPY deploy/images/packages /
RUN /packages
ARG TARGETARCH
RUN /packages $TARGETARCH
COPY agent/deps /src/agent/deps
ENV AMPULE_CACHE=/cache
RUN AMPULE_DEPS_CC=$(cat /target)-gcc /src/agent/deps/build
COPY deploy/images/shell deploy/images/pins /src/deploy/images/
COPY agent/tools/applets.def /src/agent/tools/
RUN /src/deploy/images/shell /shell
COPY CMakeLists.txt /src/
COPY agent /src/agent
COPY deploy/images/compile /src/deploy/images/
# Empty: compile everything anew.
ARG COMPILER_CACHE=ccache
RUN --mount=type=cache,target=/root/.cache/ccache /src/deploy/images/compile /build
COPY deploy/images/assemble deploy/images/sbom /src/deploy/images/
# The time that all files in the images have. It is part of the folders' names, or layers of another time would be taken from the cache.
ARG SOURCE_DATE_EPOCH=0
RUN /src/deploy/images/assemble /build /shell /roots

# ------------------------------------------------------------------------------------------------------------------------ the images
FROM scratch AS agent
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /roots/agent.$SOURCE_DATE_EPOCH /
COPY --from=build --chown=100:1000 /roots/home.$SOURCE_DATE_EPOCH /home
USER 100:1000
ENV HOME=/home/vault SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENTRYPOINT ["/bin/ampule-agent"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule-agent" \
      org.opencontainers.image.description="Secrets from Vault or OpenBao into a pod; takes Vault Agent's configuration" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND curl AND BSD-3-Clause AND LGPL-2.1-or-later AND MPL-2.0 AND GPL-3.0-or-later WITH GCC-exception-3.1" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS agent-compat
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /roots/agent-compat.$SOURCE_DATE_EPOCH /
COPY --from=build --chown=100:1000 /roots/home.$SOURCE_DATE_EPOCH /home
USER 100:1000
ENV HOME=/home/vault PATH=/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENTRYPOINT ["/bin/vault"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule-agent-compat" \
      org.opencontainers.image.description="ampule-agent under the name vault, with a shell, for HashiCorp's injector" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND curl AND BSD-3-Clause AND LGPL-2.1-or-later AND MPL-2.0 AND GPL-2.0-only AND GPL-3.0-or-later WITH GCC-exception-3.1" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS injector
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /roots/injector.$SOURCE_DATE_EPOCH /
COPY --from=build --chown=100:1000 /roots/home.$SOURCE_DATE_EPOCH /home
USER 100:1000
ENV HOME=/home/vault
ENTRYPOINT ["/bin/ampule-injector"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule-injector" \
      org.opencontainers.image.description="Admission webhook that puts the agent into pods; takes vault-k8s' flags and annotations" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND curl AND BSD-3-Clause AND LGPL-2.1-or-later AND GPL-3.0-or-later WITH GCC-exception-3.1" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS cli
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /roots/cli.$SOURCE_DATE_EPOCH /
COPY --from=build --chown=100:1000 /roots/home.$SOURCE_DATE_EPOCH /home
USER 100:1000
ENV HOME=/home/vault
ENTRYPOINT ["/bin/ampule"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule" \
      org.opencontainers.image.description="Checks configurations and renders templates of ampule-agent" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND curl AND BSD-3-Clause AND LGPL-2.1-or-later AND GPL-3.0-or-later WITH GCC-exception-3.1" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS sandbox
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /roots/sandbox.$SOURCE_DATE_EPOCH /
COPY --from=build --chown=100:1000 /roots/home.$SOURCE_DATE_EPOCH /home
COPY --from=build --chown=100:1000 /roots/home.$SOURCE_DATE_EPOCH/vault /sandbox
USER 100:1000
ENV HOME=/home/vault PATH=/bin
EXPOSE 8200
ENTRYPOINT ["/bin/ampule-sandbox"]
CMD ["serve", "--dir", "/sandbox", "--listen", "0.0.0.0:8200"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule-sandbox" \
      org.opencontainers.image.description="DEVELOPMENT ONLY: plays a cluster and a secret store" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND curl AND BSD-3-Clause AND LGPL-2.1-or-later AND GPL-2.0-only AND GPL-3.0-or-later WITH GCC-exception-3.1" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS sbom
ARG SOURCE_DATE_EPOCH=0
COPY --from=build /roots/sbom.$SOURCE_DATE_EPOCH /
CMD ["none"]
