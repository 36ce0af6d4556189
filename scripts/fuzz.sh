#!/bin/sh
# fuzz.sh LAYER_NAME [SECONDS]: one fuzzer (such as wire_ws) with a corpus kept
# in build-fuzz/corpus.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
[ -n "${1:-}" ] || die "usage: make fuzz T=wire_ws [SECONDS=60]"
need_test
CC=$CLANG configure build-fuzz -Dfuzz=true -Db_lundef=false
compile build-fuzz "fuzz_$1"
mkdir -p "build-fuzz/corpus/$1"
exec "build-fuzz/fuzz_$1" -max_total_time="${2:-60}" "build-fuzz/corpus/$1"
