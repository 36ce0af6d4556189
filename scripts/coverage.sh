#!/bin/sh
# coverage.sh: line coverage of src/ by the unit tests and vectors.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
need_test
need full "to count covered lines" $FULL_PACKAGES
configure build-cov -Db_coverage=true -Dbuildtype=debug -Dc_args=-fprofile-update=atomic
compile build-cov
meson test -C build-cov --suite unit --suite vectors --suite scenario --timeout-multiplier 4 >/dev/null || die "a test failed"
gcovr -r . --object-directory build-cov --filter 'src/' --exclude '.*_(test|fuzz)\.c' --exclude-unreachable-branches
