#!/bin/sh
# bench.sh: the figures of docs/performance.md, with their commands.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
need_build
configure build
compile build
build/bench/bench-core
build/bench/bench-store
build/bench/bench-search
build/bench/bench-tui
build/tests/sim/nightjar-sim --rate 8000
python3 bench/echo/run.py build
python3 bench/http.py build
python3 bench/connects/run.py build
exec bench/server.sh build
