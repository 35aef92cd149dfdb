#!/bin/sh
# run.sh PROGRAM SECONDS: fuzzes from the committed corpus; new inputs stay out of the tree.
set -eu
name=$(basename "$1" | sed 's/^fuzz_//')
found=build/fuzz/found/$name
mkdir -p "$found"
exec "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crash-$name-" "$found" "tests/fuzz/corpus/$name" 2>&1 | tail -n 12
