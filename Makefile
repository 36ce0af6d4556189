# Nightjar. The two commands a newcomer needs are `make run` and `make test`;
# `make help` lists the rest. The build itself is Meson's (meson.build).
.POSIX:
.PHONY: all help run test check check-full bench acceptance coverage fuzz sim gen clean

SEEDS = 100
FROM = 1

all:
	@scripts/build.sh

help:
	@printf '%s\n' \
	'make run         install what is missing, build, start the server' \
	'make test        install what the tests need, build, run every test' \
	'make             build only (build/nightjard, build/nightjar)' \
	'make check       the quick tests: unit tests and tidy' \
	'make check-full  what takes long: TSan, fuzzers 60 s each, valgrind, soak' \
	'make bench       the figures of docs/performance.md' \
	'make acceptance  which demands are met, and by which test' \
	'make coverage    line coverage of the C code' \
	'make fuzz T=wire_ws [SECONDS=60]   one fuzzer' \
	'make sim SEEDS=500 [FROM=1]   whole runs in the simulator' \
	'make gen         docs/gen and other generated files' \
	'make clean       remove what was built (not the data)'

run:
	@scripts/run.sh

test:
	@scripts/test.sh

check:
	@scripts/test.sh --quick

check-full:
	@scripts/test.sh --full

bench:
	@scripts/bench.sh

acceptance:
	@/usr/bin/python3 tools/acceptance.py

coverage:
	@scripts/coverage.sh

fuzz:
	@scripts/fuzz.sh "$(T)" "$(SECONDS)"

sim:
	@scripts/build.sh
	@build/tests/sim/nightjar-sim --seeds $(SEEDS) --from $(FROM)

gen:
	@scripts/build.sh gen

clean:
	rm -rf build build-*
