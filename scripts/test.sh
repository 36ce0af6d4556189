#!/bin/sh
# test.sh [--quick|--full]: builds and runs the tests.
#   (none)   everything that a change has to pass: style, all unit tests,
#            vectors, scenarios, end-to-end tests and a hundred runs of the
#            simulator, on a build with AddressSanitizer and UBSan, the plain build of gcc and of clang
#            with warnings as errors, every fuzzer for 20,000 runs
#   --quick  style and unit tests of the plain build
#   --full   what takes long: the server's tests under ThreadSanitizer, slow
#            ones under the other sanitizers, every
#            fuzzer for 60 s, valgrind on the core, the build twice, a thousand
#            runs of the simulator (SIM_SEEDS), half an hour of mixed clients
#            (SOAK_SECONDS)
# Ends with "N passed, N failed" and fails when anything failed.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
mode=${1:-}
passed=0 failed=0 ran=

# tally NAME COMMAND...: one check of its own.
tally() {
	name=$1; shift
	say "$name"
	if "$@"; then passed=$((passed + 1)); else
		failed=$((failed + 1)); ran="$ran $name"; fi
}

# meson_tests NAME DIR [argument]...: adds the counts that Meson prints.
meson_tests() {
	name=$1 dir=$2; shift 2
	say "$name"
	log=$dir/$name.log
	meson test -C "$dir" --print-errorlogs "$@" >"$log" 2>&1 || true
	grep -E '^ *[0-9]+/[0-9]+ ' "$log" | grep -vE ' OK +[0-9.]+s' || true
	sed -n '/^Ok: /,/^Timeout: /p' "$log"
	grep -q '^Ok: ' "$log" || { tail -40 "$log"; failed=$((failed + 1)); ran="$ran $name"; return 0; }
	ok=$(awk '/^Ok: / {print $2}' "$log")
	bad=$(awk '/^(Fail|Unexpected Pass|Timeout): *[0-9]/ {n += $NF} END {print n + 0}' "$log")
	passed=$((passed + ok)) failed=$((failed + bad))
	[ "$bad" = 0 ] || { ran="$ran $name"; sed -n '/listing only the last/,$p;/=== .* ===/,$p' "$log" | tail -150; }
}

# The build with AddressSanitizer and UBSan.
sanitized() {
	configure build-asan -Db_sanitize=address,undefined -Db_lundef=false \
		-Doptimization=1 -Dc_args=-g1
	compile build-asan
}

finish() {
	[ -z "$ran" ] || printf 'failed in:%s\n' "$ran"
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

need_test
configure build
ln -sf build/compile_commands.json compile_commands.json
case $mode in
--quick)
	compile build
	tally style /usr/bin/python3 tools/tidy.py
	meson_tests unit build --suite unit
	;;
--full)
	configure build-tsan -Db_sanitize=thread -Db_lundef=false
	compile build-tsan
	meson_tests tsan build-tsan --suite net --suite edge --suite store --suite bus --suite server --suite scenario --timeout-multiplier 8
	sanitized
	meson_tests slow build-asan --suite slow --timeout-multiplier 8
	CC=$CLANG configure build-fuzz -Dfuzz=true -Db_lundef=false
	compile build-fuzz
	meson configure build-fuzz -Dfuzz_runs=-1 -Dfuzz_seconds=60
	meson_tests fuzz build-fuzz --suite fuzz --timeout-multiplier 4
	configure build
	compile build
	tally reproducible scripts/repro.sh
	tally simulator build/tests/sim/nightjar-sim --seeds "${SIM_SEEDS:-1000}" --from 1001
	tally soak /usr/bin/python3 tests/conformance/soak.py \
		--seconds "${SOAK_SECONDS:-1800}" build/nightjar-conformance build/nightjard
	meson_tests valgrind build --setup valgrind --suite base --suite pub --suite core --suite client
	;;
*)
	compile build
	tally style /usr/bin/python3 tools/tidy.py
	tally acceptance /usr/bin/python3 tools/acceptance.py --check
	meson_tests plain build --suite vectors --suite e2e --suite scenario --suite sim --timeout-multiplier 3
	# For its warnings, which do not wait for the optimiser.
	CC=$CLANG configure build-clang -Doptimization=0 -Ddebug=false
	tally clang ninja --quiet -C build-clang
	sanitized
	meson_tests sanitized build-asan --suite unit --suite vectors --suite scenario --suite sim --no-suite slow --timeout-multiplier 4
	CC=$CLANG configure build-fuzz -Dfuzz=true -Db_lundef=false
	compile build-fuzz
	meson configure build-fuzz -Dfuzz_runs=20000 -Dfuzz_seconds=5
	meson_tests fuzz build-fuzz --suite fuzz
	;;
esac
finish
