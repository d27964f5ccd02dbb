# Both services, each as a small image of its own, from one build:
#
#   docker build --target invitation-service --tag acquaint/invitation-service .
#   docker build --target connection-service --tag acquaint/connection-service .
#
# What the services depend on is compiled in a layer that changes only with a Cargo.toml or Cargo.lock. Everything comes from one image, pinned
# here; --build-arg RUST_IMAGE=rust:…@sha256:… pins its content as well, and names a mirror where there is one. Deliberately absent: a shell and
# a package manager in the images, and any secret or configuration beside addresses and paths.

ARG RUST_IMAGE=rust:1.95.0-slim-trixie

FROM ${RUST_IMAGE} AS chef
ARG CARGO_CHEF_VERSION=0.1.78
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo install cargo-chef --version "$CARGO_CHEF_VERSION" --locked
WORKDIR /build

# What the dependencies are: every manifest and the lock file, without the sources.
FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
COPY --from=plan /build/recipe.json .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo chef cook --release --locked --package invitation-service --package connection-service --recipe-path recipe.json
COPY Cargo.toml Cargo.lock ./
COPY proto proto
COPY service-kit service-kit
COPY connection-service connection-service
COPY invitation-service invitation-service
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo build --release --locked --package invitation-service --package connection-service --bins && \
    strip --strip-debug target/release/invitation-service target/release/connection-service

# What a program needs beside itself: the C library that it was linked with, who vouches for certificates, a user, and a folder of that user's
# for stores and one for secrets. The packages' records are for programs that look for known flaws.
FROM ${RUST_IMAGE} AS root
COPY --from=build /build/target/release/invitation-service /build/target/release/connection-service /usr/bin/
RUN set -eu; \
    libraries=$(ldd /usr/bin/*-service | awk '$2 == "=>" { print $3 } $1 ~ /ld-linux/ { print $1 }' | sort -u); \
    mkdir -p /root-fs/etc/ssl/certs /root-fs/usr/bin /root-fs/var/lib/dpkg/status.d; \
    cd /root-fs; \
    ln -s usr/lib lib; ln -s usr/lib64 lib64; mkdir -p usr/lib usr/lib64; \
    cp --dereference --parents $libraries .; \
    cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/; \
    for package in ca-certificates libc6 libgcc-s1; do dpkg-query --status "$package" >"var/lib/dpkg/status.d/$package"; done; \
    cp /etc/os-release etc/os-release; \
    echo 'hosts: files dns' >etc/nsswitch.conf; \
    echo 'acquaint:x:65532:65532::/var/lib/acquaint:/sbin/nologin' >etc/passwd; \
    echo 'acquaint:x:65532:' >etc/group; \
    install --directory --owner 65532 --group 65532 --mode 0700 var/lib/acquaint etc/acquaint

FROM scratch AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="Acquaint" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=root /root-fs /
USER 65532:65532
WORKDIR /var/lib/acquaint
VOLUME /var/lib/acquaint
STOPSIGNAL SIGTERM

FROM base AS connection-service
LABEL org.opencontainers.image.title="connection-service" \
      org.opencontainers.image.description="Connections, blocks and cards of the members of a professional network"
COPY --from=build /build/target/release/connection-service /usr/bin/
# Reachable from outside of the container, which takes a tokens file: without one the service ends at once and says so.
ENV ACQUAINT_LISTEN=0.0.0.0:50052 \
    ACQUAINT_DATABASE_URL=sqlite:/var/lib/acquaint/connections.db
EXPOSE 50052
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["/usr/bin/connection-service", "healthcheck"]
ENTRYPOINT ["/usr/bin/connection-service"]
CMD ["serve"]

FROM base AS invitation-service
LABEL org.opencontainers.image.title="invitation-service" \
      org.opencontainers.image.description="Invitations between the members of a professional network"
COPY --from=build /build/target/release/invitation-service /usr/bin/
ENV ACQUAINT_LISTEN=0.0.0.0:50051 \
    ACQUAINT_DATABASE_URL=sqlite:/var/lib/acquaint/invitations.db
EXPOSE 50051
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["/usr/bin/invitation-service", "healthcheck"]
ENTRYPOINT ["/usr/bin/invitation-service"]
CMD ["serve"]
