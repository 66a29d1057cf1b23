#!/bin/bash
# Builds the packages for Debian and Raspberry Pi OS into OUT (build/deb):
#
#   systemd/deb/build.sh [arm64] [armhf] [amd64]
#
# The same commit gives the same bytes, wherever and whenever it is built with the same Go
# and C compilers; `make test-deb` holds that. The screens must be built (make ui).
set -euo pipefail
cd "$(dirname "$0")/../.."

nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.44.2 # the newest that go.mod's Go builds: later ones fetch another Go
out=${OUT:-build/deb}
mkdir -p build/deb "$out"

# The version is that of the tag (v1.2), and after it, or without one, it counts commits.
tagged=$(git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//; s/-\([0-9]*\)-/+\1./' || true)
export DEB_VERSION=${DEB_VERSION:-${tagged:-0.$(git rev-list --count HEAD)+g$(git rev-parse --short=8 HEAD)}}
# Whoever gives the package to others names here who answers for it. Nobody has an address at
# example.org (RFC 2606), and none is invented.
export DEB_MAINTAINER=${DEB_MAINTAINER:-The authors of Mimpi Kiosk <mimpi-kiosk@example.org>}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C

changelog() {
    printf 'mimpi-kiosk (%s) stable; urgency=medium\n\n  * See the history of the source code.\n\n -- %s  %s\n' \
        "$DEB_VERSION" "$DEB_MAINTAINER" "$(date -u -d "@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S +0000')"
}

licence() { # WHAT FOLDER: the licence of a part, indented; Debian has the text of Apache's
    local file
    file=$(find -L "$2" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'ofl*' \) | sort | head -n 1)
    [ -n "$file" ] || { echo "no licence found for $1 in $2" >&2; exit 1; }
    printf '\n%s\n%s\n\n' "$1" "$(printf '%s' "$1" | tr -c '' '-')"
    if grep -q 'Apache License' "$file" && grep -q 'Version 2.0' "$file"; then
        echo '    Apache License, Version 2.0: see /usr/share/common-licenses/Apache-2.0'
    else
        sed 's/\r$//; s/^/    /; s/[[:space:]]*$//' "$file"
    fi
}

copyright() {
    cat <<'END'
Mimpi Kiosk is free software under the Apache License, Version 2.0:
see /usr/share/common-licenses/Apache-2.0 on Debian systems.

Copyright: the authors of Mimpi Kiosk

The program contains the following parts of others, under their own licences.
END
    licence "Go $(go env GOVERSION)" "$(go env GOROOT)"
    go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{"\t"}}{{.Dir}}{{end}}{{end}}' ./cmd/mimpi-kiosk | sort -u |
        while IFS=$'\t' read -r what folder; do licence "$what" "$folder"; done
    printf '\nSQLite\n------\n\n    Public domain.\n'
    for part in svelte lucide-static @fontsource-variable/noto-sans; do
        licence "$part" "kiosk-ui/node_modules/$part"
    done
}

changelog | gzip -9n >build/deb/changelog.gz
copyright >build/deb/copyright

for DEB_ARCH in "${@:-arm64}"; do
    export DEB_ARCH
    case $DEB_ARCH in
    arm64) compiler=aarch64-linux-gnu-gcc go_arch=(GOARCH=arm64) ;;
    armhf) compiler=arm-linux-gnueabihf-gcc go_arch=(GOARCH=arm GOARM=7) ;;
    amd64) compiler=x86_64-linux-gnu-gcc go_arch=(GOARCH=amd64) ;;
    *) echo "no package for $DEB_ARCH is known: arm64, armhf or amd64" >&2 && exit 1 ;;
    esac
    command -v "$compiler" >/dev/null ||
        { echo "$compiler is missing, which builds for $DEB_ARCH: .ci/setup.sh deb installs it" >&2 && exit 1; }
    program=build/$DEB_ARCH/mimpi-kiosk
    echo "Building for $DEB_ARCH..."
    env "${go_arch[@]}" CC="$compiler" CGO_ENABLED=1 CGO_CFLAGS="-O2 -g0 -DHAVE_FDATASYNC=1" CGO_LDFLAGS="-O2 -Wl,-z,relro,-z,now" \
        go build -trimpath -buildvcs=false -buildmode=pie -ldflags "-s -w -X main.version=$DEB_VERSION" -o "$program" ./cmd/mimpi-kiosk
    # The newest of glibc's versions that the program asks for.
    DEB_LIBC=$(readelf -VW "$program" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -n 1)
    export DEB_LIBC
    go run "$nfpm" package --config systemd/deb/nfpm.yaml --packager deb --target "$out/"
done
