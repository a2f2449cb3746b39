#!/bin/bash
# Installs the Debian packages Slipstream is built from, those that are missing and no others.
# This is the only list of them. With nothing missing it touches neither network nor system.
set -euo pipefail

packages=(
    g++               # headers and runtime of the C++ shim around simdjson
    pkg-config        # how SwiftPM finds the libraries below
    libwebsockets-dev # HTTP and WebSocket, both sides
    libsimdjson-dev   # JSON decoding
    libsqlite3-dev    # embedded log and snapshots
    librdkafka-dev    # Kafka, and the mock cluster of tests and kafka-sim
    libzstd-dev       # compression of records and snapshots
    zlib1g-dev        # reading .csv.gz
    libyaml-dev       # tests of the Kubernetes manifests
    libssl-dev        # headers that libwebsockets.h includes
    libcap-dev        # likewise
)

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

missing=()
for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
done

if ((${#missing[@]})); then
    as_root=()
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "setup: ${missing[*]} must be installed: run this script as root, or install sudo" >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    echo "setup: installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
    echo "setup: done"
else
    echo "setup: all ${#packages[@]} packages are installed"
fi

if ! command -v swift >/dev/null; then
    echo "setup: no swift in PATH; Swift 6.2 or newer is needed, see https://www.swift.org/install/linux" >&2
    exit 1
fi
