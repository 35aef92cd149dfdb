#!/bin/sh
# run.sh PROGRAM SECONDS: fuzzes from the committed corpus; what it finds stays out of the tree.
set -eu
name=$(basename "$1" | sed 's/^fuzz_//')
found=build/fuzz/found/$name
log=build/fuzz/$name.log
mkdir -p "$found"
if "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -verbosity=1 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crash-$name-" "$found" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    echo "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $2 s, nothing found"
else
    tail -n 40 "$log"
    echo "fuzz $name: FAILED, see build/fuzz/crash-$name-*"
    exit 1
fi
