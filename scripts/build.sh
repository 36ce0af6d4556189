#!/bin/sh
# build.sh [target]...: build/ with all programs, or just the targets named.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
need_build
configure build
compile build "$@"
ln -sf build/compile_commands.json compile_commands.json
