# shellcheck shell=sh disable=SC2034,SC2086
# lib.sh: what the scripts share. Sourced with the repository root as $PWD.
say() { printf '==> %s\n' "$*"; }
die() { printf 'nightjar: %s\n' "$*" >&2; exit 1; }

# Packages of Debian and Ubuntu, with what each group is for.
BUILD_PACKAGES="build-essential pkg-config meson ninja-build python3
 libsqlite3-dev libpq-dev libncurses-dev libqrencode-dev libcurl4-openssl-dev libcrypt-dev libcmocka-dev
 zlib1g-dev libzstd-dev xz-utils ca-certificates"
NEWER_PACKAGES="libssl-dev libllhttp-dev libyyjson-dev libhiredis-dev"
TEST_PACKAGES="valgrind postgresql procps gdb sqlite3 nginx-light haproxy
 python3-socketio python3-aiohttp python3-cryptography python3-requests python3-websocket python3-pyte brotli"
FULL_PACKAGES="gcovr"

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null 2>&1; then sudo "$@"
	else die "root is needed for: $* (and sudo is not here)"
	fi
}

# need GROUP WHY PACKAGE...: installs those that are missing. What was found
# complete once is remembered until the list changes.
need() {
	group=$1 why=$2; shift 2
	mkdir -p build
	stamp=build/.packages-$group
	if [ "$(cat "$stamp" 2>/dev/null)" = "$*" ]; then return 0; fi
	command -v dpkg-query >/dev/null 2>&1 || {
		say "not a Debian or Ubuntu machine: $* must be there ($why)"
		return 0
	}
	missing=
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q '^install ok installed$' || missing="$missing $p"
	done
	if [ -n "$missing" ]; then
		say "installing$missing"
		say "  why: $why (root is asked for by the package manager alone)"
		# RUNLEVEL keeps services that come along from starting.
		as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
			sh -c 'apt-get -q update && apt-get -q -y --no-install-recommends install "$@"' \
			sh $missing || die "the packages could not be installed"
	fi
	printf '%s' "$*" >"$stamp"
}

need_build() {
	need build "to compile the server and the client" $BUILD_PACKAGES
	if PKG_CONFIG_PATH='' pkg-config --atleast-version=3.5 openssl 2>/dev/null
	then need newer "OpenSSL 3.5 and the codecs" $NEWER_PACKAGES
	elif [ ! -e .sysroot/.stamp ]
	then scripts/bootstrap-sysroot.sh .sysroot; fi
}

# Debian 12 has clang 14; later releases a newer one under its plain name.
pick_clang() {
	CLANG=clang-14 CLANG_PACKAGES="clang-14 lld-14 libclang-rt-14-dev llvm-14"
	command -v clang-14 >/dev/null 2>&1 && return 0
	if ! apt-cache show clang-14 >/dev/null 2>&1 &&
		apt-cache show clang >/dev/null 2>&1
	then CLANG=clang CLANG_PACKAGES="clang lld llvm"; fi
}

need_test() {
	need_build
	pick_clang
	need test "for sanitizers, fuzzers and the real services of the tests" \
		$TEST_PACKAGES $CLANG_PACKAGES
	command -v npm >/dev/null 2>&1 ||
		need node "to run the stock socket.io-client against the server" nodejs npm
	for dir in tests/e2e tests/conformance tests/model; do
		[ $dir/node_modules -nt $dir/package-lock.json ] ||
			(cd $dir && npm ci --loglevel=error && touch node_modules) ||
			die "npm ci failed in $dir"
	done
}

# configure DIR [meson option]...
configure() {
	dir=$1; shift
	[ -e "$dir/build.ninja" ] && return 0
	meson setup "$dir" --pkg-config-path "$PWD/.sysroot/pkgconfig" "$@" \
		>"$dir.log" 2>&1 || { cat "$dir.log" >&2; die "meson setup failed"; }
	rm -f "$dir.log"
}

# compile DIR [target]...: shows ninja's progress, and only errors otherwise.
compile() {
	dir=$1; shift
	ninja -C "$dir" "$@" || die "the build failed"
}
