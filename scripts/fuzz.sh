#!/bin/bash
# Feeds every fuzz target random bytes: scripts/fuzz.sh [seconds for each, default 600]
# Targets are the executables of Package.swift whose name begins with Fuzz; corpora are kept in .build/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}

mapfile -t targets < <(grep -oE '"Fuzz[A-Za-z]+"' Package.swift | tr -d '"' | sort -u)
if ((${#targets[@]} == 0)); then
    echo "fuzz: Package.swift has no target whose name begins with Fuzz" >&2
    exit 1
fi
for target in "${targets[@]}"; do
    swift build -c release --sanitize=fuzzer --scratch-path .build/fuzzing --product "$target"
    mkdir -p ".build/fuzz/$target"
    echo "fuzz: $target for $seconds s"
    ".build/fuzzing/release/$target" -max_total_time="$seconds" -print_final_stats=1 ".build/fuzz/$target"
done
