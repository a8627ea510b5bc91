# Ampule's images. deploy/images/build makes them all; one alone:
#   docker build --target agent -t ampule/agent .
# Targets: agent, agent-compat (works under HashiCorp's injector), cli, sandbox (development only), and sbom (the lists of parts).
ARG BASE=debian:bookworm-slim

# ------------------------------------------------------------------------------------- everything is made here, nothing of it is kept
FROM ${BASE} AS build
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      gcc libc6-dev cmake ninja-build make perl patch xz-utils dpkg-dev python3 ca-certificates busybox-static \
      libevent-dev libyaml-dev libjansson-dev libnghttp2-dev libc-ares-dev libcrypt-dev >/dev/null
COPY agent/deps /src/agent/deps
RUN AMPULE_CACHE=/cache /src/agent/deps/build
COPY . /src
RUN AMPULE_CACHE=/cache cmake -S /src -B /build -G Ninja \
      -DAMPULE_STATIC=ON -DAMPULE_INOTIFYTOOLS=OFF -DAMPULE_TESTS=OFF >/dev/null \
 && cmake --build /build
# The newest time that a file in the images may have.
ARG SOURCE_DATE_EPOCH=0
RUN /src/deploy/images/assemble /build /roots

# ------------------------------------------------------------------------------------------------------------------------ the images
FROM scratch AS agent
COPY --from=build /roots/agent /
COPY --from=build --chown=100:1000 /roots/home /home/vault
USER 100:1000
ENV HOME=/home/vault SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENTRYPOINT ["/bin/ampule-agent"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule-agent" \
      org.opencontainers.image.description="Secrets from Vault or OpenBao into a pod; takes Vault Agent's configuration" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND curl AND BSD-3-Clause AND LGPL-2.1-or-later AND MPL-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS agent-compat
COPY --from=build /roots/agent-compat /
COPY --from=build --chown=100:1000 /roots/home /home/vault
USER 100:1000
ENV HOME=/home/vault PATH=/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENTRYPOINT ["/bin/vault"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule-agent-compat" \
      org.opencontainers.image.description="ampule-agent under the name vault, with a shell, for HashiCorp's injector" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND curl AND BSD-3-Clause AND LGPL-2.1-or-later AND MPL-2.0 AND GPL-2.0-only" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS cli
COPY --from=build /roots/cli /
COPY --from=build --chown=100:1000 /roots/home /home/vault
USER 100:1000
ENV HOME=/home/vault
ENTRYPOINT ["/bin/ampule"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule" \
      org.opencontainers.image.description="Checks configurations and renders templates of ampule-agent" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND LGPL-2.1-or-later" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS sandbox
COPY --from=build /roots/sandbox /
COPY --from=build --chown=100:1000 /roots/home /home/vault
COPY --from=build --chown=100:1000 /roots/home /sandbox
USER 100:1000
ENV HOME=/home/vault PATH=/bin
EXPOSE 8200
ENTRYPOINT ["/bin/ampule-sandbox"]
CMD ["serve", "--dir", "/sandbox", "--listen", "0.0.0.0:8200"]
ARG VERSION=unknown REVISION=unknown CREATED=unknown
LABEL org.opencontainers.image.title="ampule-sandbox" \
      org.opencontainers.image.description="DEVELOPMENT ONLY: plays a cluster and a secret store" \
      org.opencontainers.image.licenses="MIT AND Apache-2.0 AND BSD-3-Clause AND LGPL-2.1-or-later AND GPL-2.0-only" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"

FROM scratch AS sbom
COPY --from=build /roots/sbom /
CMD ["none"]
