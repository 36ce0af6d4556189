#!/bin/sh
# bench.sh: the figures of docs/performance.md, with their commands.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
need_build
configure build
compile build
build/bench-core
exec bench/server.sh build
