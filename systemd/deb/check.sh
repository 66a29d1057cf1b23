#!/bin/bash
# What must hold of the packages in build/deb: lintian finds no error, apt takes them as
# files, and a second build, from another folder with nothing left of the first one, gives
# the same bytes (amd64 is tried).
set -euo pipefail
cd "$(dirname "$0")/../.."

lintian --allow-root --fail-on error build/deb/*.deb

again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$again"
cp -r kiosk-ui/dist kiosk-ui/node_modules "$again/kiosk-ui/"
ln -s "$(git rev-parse --absolute-git-dir)" "$again/.git"
find "$again" -path "$again/kiosk-ui/node_modules" -prune -o -type f -exec touch -d @1000000000 {} + # other times
# A cache of its own: nothing of the first build is in it.
(cd "$again" && GOCACHE="$again/.cache" systemd/deb/build.sh amd64)

first=$(cd build/deb && ls -t ./*_amd64.deb | head -n 1)
cmp "build/deb/$first" "$again/build/deb/$first"
echo "A second build of $first has the same bytes."
