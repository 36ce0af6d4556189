#!/bin/sh
# run.sh [flag]...: installs what is missing, builds, starts nightjard. Flags
# go to nightjard. The data directory is $NIGHTJARD_DATA, or nightjard's own
# place below the user's data directory.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
need_build
configure build
ninja --quiet -C build -n nightjard nightjar | grep -q 'no work to do' ||
	compile build nightjard nightjar
data=${NIGHTJARD_DATA:-${XDG_DATA_HOME:-$HOME/.local/share}/nightjard}
cat <<EOF

Nightjar keeps its data in $data
Once it says that it is ready, open two more terminals in $PWD:

    build/nightjar --profile one register      # the first person
    build/nightjar --profile two register      # the second
    build/nightjar --profile one chat NAME     # NAME: who the second is

Stop the server with Ctrl-C.

EOF
exec build/nightjard serve --data "$data" "$@"
