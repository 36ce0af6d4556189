#!/bin/sh
# repro.sh: builds both programs twice, in folders of different depth, and
# says whether they are the same bytes.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
need_build
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/nightjar-repro.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
for place in one two/deeper; do
	mkdir -p "$tmp/$place"
	git ls-files -z | xargs -0 cp --parents -t "$tmp/$place"
	[ ! -e .sysroot ] || ln -s "$PWD/.sysroot" "$tmp/$place/.sysroot"
	(cd "$tmp/$place" && configure build &&
		ninja --quiet -C build nightjard nightjar >/dev/null)
	(cd "$tmp/$place/build" && sha256sum nightjard nightjar) >"$tmp/$(basename "$place").sum"
done
cmp "$tmp/one.sum" "$tmp/deeper.sum" && cat "$tmp/one.sum"
