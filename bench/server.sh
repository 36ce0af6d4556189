#!/bin/sh
# server.sh BUILDDIR [--json]: starts a server with its limits off in a folder
# of its own, and runs every scenario of nightjar-bench against it.
set -eu
build=$(cd "${1:-build}" && pwd)
json=${2:-}
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/nightjar-bench.XXXXXX")
port=$((20000 + $$ % 20000))
pid=
cleanup() { [ -z "$pid" ] || kill "$pid" 2>/dev/null || true; wait; rm -rf "$dir"; }
trap cleanup EXIT
trap 'exit 1' INT TERM
ulimit -n 65536 2>/dev/null || true
off=
for limit in $("$build/nightjard" serve --help | sed -n 's/^ *\(limits\.[a-z_]*\).*/\1/p' ); do
	off="$off --set $limit=0"
done

start() {
	# shellcheck disable=SC2086 # the flags are words
	"$build/nightjard" serve --data "$dir/$1" --set "listen.http=127.0.0.1:$port" \
		--set listen.https= $off >"$dir/$1.log" 2>&1 &
	pid=$!
	until "$build/nightjard" health --set "listen.http=127.0.0.1:$port" \
		>/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || { cat "$dir/$1.log" >&2; exit 1; }
		sleep 0.05
	done
}
stop() { kill "$pid"; wait "$pid" 2>/dev/null || true; pid=; }

python3 "$(dirname "$0")/start.py" "$build" "$dir/empty" $json
for scenario in idle pair saturate; do
	start $scenario
	"$build/bench/nightjar-bench" --port "$port" --pid "$pid" $json $scenario
	stop
done
python3 "$(dirname "$0")/start.py" "$build" "$dir/saturate" $json
