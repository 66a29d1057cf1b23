#!/bin/bash
# What must hold of the packages in build/deb: lintian finds no error; a second build, from
# another folder with nothing left of the first one, gives the same bytes (amd64 is tried);
# and apt finds all that they depend on in Debian 12 and 13.
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

# resolves SUITE ARCH DEB: a machine with nothing on it could install the package.
resolves() {
    local empty=$again/$1-$2 mirror said
    mirror=$(find /etc/apt \( -name '*.sources' -o -name '*.list' \) -exec sed -nE 's/^(URIs:|deb( \[.*\])?) *(\S+\/debian)\/?( .*)?$/\3/p' {} + | sed -n 1p)
    mkdir -p "$empty"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial}
    : >"$empty/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$empty/etc/sources.list"
    local apt=(apt-get -q -o Dir::Etc="$empty/etc" -o Dir::State="$empty/state" -o Dir::State::status="$empty/status" -o Dir::Cache="$empty/cache"
        -o APT::Architecture="$2" -o APT::Architectures="$2" -o APT::Install-Recommends=false -o APT::Sandbox::User=root)
    said=$("${apt[@]}" update 2>&1) || { echo "$said" && return 1; }
    said=$("${apt[@]}" -s install "$3" 2>&1) || { echo "$said" && return 1; }
    echo "On $1, $2, apt would install $(grep -c '^Inst ' <<<"$said") packages, with$(grep -oE '^Inst (labwc|cage|chromium|mpv) ' <<<"$said" | sed 's/Inst//; s/ $//' | tr -d '\n')."
}
for suite in bookworm trixie; do
    for deb in "$PWD"/build/deb/*.deb; do
        resolves "$suite" "$(dpkg-deb --field "$deb" Architecture)" "$deb"
    done
done
