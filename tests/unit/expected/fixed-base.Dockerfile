FROM alpine:3.24
ARG CFLAGS
RUN set -eu; \
    set -- \
        R \
        build-base \
        git \
        'nodejs~22' \
    ; \
    if command -v apt-get >/dev/null; then \
        apt-get update; \
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; \
        apt-get clean; \
        rm -rf /var/lib/apt/lists/*; \
    elif command -v apk >/dev/null; then \
        apk add --no-cache "$@"; \
    elif command -v dnf >/dev/null; then \
        dnf install -y --setopt=install_weak_deps=0 "$@"; \
        dnf clean all; \
    elif command -v microdnf >/dev/null; then \
        microdnf install -y --setopt=install_weak_deps=0 "$@"; \
        microdnf clean all; \
    elif command -v yum >/dev/null; then \
        yum install -y --setopt=skip_missing_names_on_install=0 "$@"; \
        yum clean all; \
    else \
        echo 'no package manager in the base: apt-get, apk, dnf, microdnf or yum is needed' >&2; \
        exit 1; \
    fi
