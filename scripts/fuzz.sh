#!/usr/bin/env bash
# Fuzzes the decoders with libFuzzer and the address sanitizer.
#
#   scripts/fuzz.sh [seconds] [target]    120 seconds each of: records csv line value assembler
#
# Builds with swiftc alone, beside the package: targets in Fuzz/ are no part of it. Inputs that find something new are
# kept in .build/fuzz/corpus, a finding stops the run and is left in .build/fuzz as <target>-crash-….
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-120}
targets=${2:-records csv line value assembler}
out=.build/fuzz
mkdir -p "$out/modules/CSimdJSON"

cp Sources/CSimdJSON/include/csimdjson.h "$out/modules/CSimdJSON/"
printf 'module CSimdJSON { header "csimdjson.h" export * }\n' >"$out/modules/CSimdJSON/module.modulemap"

echo "building"
clang++ -std=c++17 -O1 -g -fsanitize=address,fuzzer-no-link -ISources/CSimdJSON/include \
    -c Sources/CSimdJSON/csimdjson.cpp -o "$out/csimdjson.o"
swift=(swiftc -swift-version 6 -package-name slipstream -O -g -wmo -parse-as-library -sanitize=fuzzer,address
    -I "$out/modules" -I "$out/modules/CSimdJSON" -Xcc "-fmodule-map-file=$out/modules/CSimdJSON/module.modulemap")
for module in JSON Telemetry; do
    "${swift[@]}" -module-name "$module" -emit-module -emit-module-path "$out/modules/$module.swiftmodule" \
        -c Sources/"$module"/*.swift -o "$out/$module.o"
done

for target in $targets; do
    case $target in
        records) file=RecordsTarget ;;
        csv) file=CSVTarget ;;
        line) file=LineTarget ;;
        value) file=ValueTarget ;;
        assembler) file=AssemblerTarget ;;
        *) echo "no target $target: records csv line value assembler" >&2; exit 2 ;;
    esac
    "${swift[@]}" -module-name "Fuzz_$target" "Fuzz/$file.swift" "$out"/{Telemetry,JSON,csimdjson}.o \
        -use-ld=lld -lsimdjson -lstdc++ -lm -o "$out/$target"
    mkdir -p "$out/corpus/$target"
    echo "fuzzing $target for $seconds s"
    "$out/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
        -dict="Fuzz/$target.dict" -artifact_prefix="$out/$target-" "$out/corpus/$target" "Fuzz/seeds/$target" \
        >"$out/$target.log" 2>&1 || { tail -40 "$out/$target.log"; exit 1; }
    grep -E "number_of_executed_units|peak_rss" "$out/$target.log"
done
echo "no finding"
