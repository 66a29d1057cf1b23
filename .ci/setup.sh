#!/bin/bash
# Checks what building Mimpi Kiosk needs and installs what is missing with apt, one
# sentence each. It removes no package, and changes nothing where everything is there.
#
#   .ci/setup.sh run     to build and run
#   .ci/setup.sh deb     to build the packages
#
# Inside the Debian of the tests (.ci/root.sh), for what only a few of them use:
#
#   .ci/setup.sh bench   the programs that make bench compares with
#   .ci/setup.sh arm     an emulated Raspberry Pi

set -uo pipefail
cd "$(dirname "$0")/.."

go_wanted=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod) # "1.26"
export GOTOOLCHAIN=auto PATH="$PATH:/usr/local/go/bin"
log=build/setup.log

fail() {
    printf '\nset-up stopped: %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

at_least() { printf '%s\n%s\n' "$1" "$2" | sort --version-sort --check=quiet; } # WANTED FOUND

first_number() { grep -o '[0-9][0-9.]*' | head -n 1; }

# ---- installing with apt ----

apt_lists_fresh=

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

# apt_get WHAT ARGUMENTS...
apt_get() {
    local what=$1
    shift
    .ci/progress.sh "$what" bash -c 'exec "${@:2}" </dev/null >>"$1" 2>&1' apt_get "$log" \
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@"
}

# can_install PACKAGE: ends the script with the reason when apt cannot be used.
can_install() {
    has apt-get ||
        fail "$1 is missing and this machine has no apt-get (Debian's package tool). Install $1 by hand, then run make again."
    [ "$(id -u)" = 0 ] || has sudo ||
        fail "$1 is missing, and installing it needs root or sudo. Run 'apt-get install $1' as root, then run make again."
    [ -n "$apt_lists_fresh" ] && return
    echo "Refreshing apt's package lists..."
    $sudo true || fail "sudo did not give root's rights, which installing $1 needs. Run 'apt-get install $1' as root, then run make again."
    apt_get lists -o APT::Update::Error-Mode=any update ||
        echo "Not every list of apt could be refreshed (the reason is in $log); going on with what there is." >&2
    apt_lists_fresh=yes
}

# install PACKAGE "WHAT IT IS FOR"
install() {
    can_install "$1"
    echo "Installing $1 ($2) with apt..."
    apt_get "$1" install -y --no-install-recommends --no-remove "$1" && return
    tail -n 5 "$log" >&2
    fail "apt could not install $1 ($2) without removing another package. The lines above are from $log. Check the network and apt's sources, or install $1 by hand, then run make again."
}

# need COMMAND PACKAGE "WHAT IT IS FOR"
need() { has "$1" || install "$2" "$3"; }

apt_offers() { LC_ALL=C apt-cache policy "$1" | sed -n 's/^ *Candidate: //p' | sed 's/^[0-9]*://'; }

# ---- what is needed ----

# An older Go (from 1.21 on, such as Debian 13's) fetches the wanted one by itself.
need_go() {
    local advice="Install Go $go_wanted or later as https://go.dev/doc/install says (it goes to /usr/local/go, where make looks too)."
    local found
    if ! has go; then
        can_install golang-go
        found=$(apt_offers golang-go | first_number)
        if ! at_least 1.21 "${found:-0}"; then
            too_old+=("Go $go_wanted or later is needed; no go is here, and apt has only ${found:-none}. $advice")
            return
        fi
        install golang-go "Go, the language of the daemon"
    fi

    found=$(cd / && GOTOOLCHAIN=local go version 2>&1 | sed -n 's/^go version go//p' | first_number)
    if ! at_least 1.21 "${found:-0}"; then
        too_old+=("Go $go_wanted or later is needed; $(command -v go) is ${found:-of unknown version}. $advice")
        return
    fi
    at_least "$go_wanted" "$found" && return

    GOPROXY=off go version >/dev/null 2>&1 && return # fetched before
    echo "Fetching Go $go_wanted (Go $found is here, which is too old) through the Go module proxy..."
    .ci/progress.sh "Go $go_wanted" go version >>"$log" && return
    tail -n 3 "$log" >&2
    fail "Go $found is here, and Go $go_wanted could not be had through the Go module proxy. Check the network and run make again, or do without the proxy: $advice"
}

node_fits() { # Vite 8 runs on 20.19 and later 20.x, and from 22.12 on
    at_least 22.12 "$1" || { at_least 20.19 "$1" && ! at_least 21 "$1"; }
}

need_node() {
    local wanted="Node.js 20.19 or later (not 21, nor 22 before 22.12) is needed by Vite 8"
    local advice="Install Node.js 22 or later as https://nodejs.org/en/download says."
    local found
    if ! has node; then
        can_install nodejs
        found=$(apt_offers nodejs | first_number)
        if ! node_fits "${found:-0}"; then
            too_old+=("$wanted; no node is here, and apt has only ${found:-none}. $advice")
            return
        fi
        install nodejs "Node.js, which builds the screens"
    fi
    found=$(node --version 2>&1 | first_number)
    node_fits "${found:-0}" || too_old+=("$wanted; $(command -v node) is ${found:-of unknown version}. $advice")
}

need_c_compiler() {
    need gcc gcc "C compiler for SQLite"
    echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 ||
        install libc6-dev "C headers for SQLite"
}

need_for_run() {
    too_old=() # sentences: Debian 12 has both too old, and is told so at once
    need_go
    need_node
    [ ${#too_old[@]} = 0 ] || fail "$(printf '%s\n' "${too_old[@]}" "Then run make again.")"
    need npm npm "fetches the parts of the screens"
    need_c_compiler
    need espeak-ng espeak-ng "reads questions aloud"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || install ca-certificates "lets Go and npm trust their registries"
}

need_for_bench() {
    need qrencode qrencode "draws QR codes, beside the kiosk"
    need nginx nginx "serves the film, beside the kiosk"
}

need_for_deb() {
    need x86_64-linux-gnu-gcc gcc-x86-64-linux-gnu "C compiler for amd64"
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu "C compiler for the Raspberry Pi, 64 bits"
    need arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf "C compiler for the Raspberry Pi, 32 bits"
    local triplet
    for triplet in aarch64-linux-gnu:arm64 arm-linux-gnueabihf:armhf; do # without it the compiler finds no headers
        [ -e "/usr/${triplet%:*}/include/stdlib.h" ] || install "libc6-dev-${triplet#*:}-cross" "C headers for ${triplet#*:}"
    done
    need lintian lintian "judges packages"
}

need_for_arm() { # a Debian for another processor is made, and tests for it run, with that processor emulated
    need qemu-system-aarch64 qemu-system-arm "the Raspberry Pi 4's processor, emulated"
    need qemu-aarch64-static qemu-user-static "runs its programs while the guest's Debian is made"
    need arch-test arch-test "by which mmdebstrap sees that it can run them"
    need update-binfmts binfmt-support "lets the kernel start them"
    [ -e /proc/sys/fs/binfmt_misc/register ] || $sudo mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc >>"$log" 2>&1
    local processor
    for processor in qemu-aarch64 qemu-arm; do
        [ -e "/proc/sys/fs/binfmt_misc/$processor" ] || $sudo update-binfmts --enable "$processor" >>"$log" 2>&1
        [ -e "/proc/sys/fs/binfmt_misc/$processor" ] ||
            fail "the kernel was not told to start programs for ARM with $processor (the reason may be in $log). In a container, binfmt_misc has to be set up on its host; then run make again."
    done
}

mkdir -p build
: >"$log"
in_test_root() {
    [ -e /etc/mimpi-kiosk-test-root ] || fail "'$1' is for the Debian of the tests: run the make target, which enters it."
}

case "${1:-}" in
run) need_for_run ;;
deb) need_for_run && need_for_deb ;;
bench) in_test_root bench && need_for_bench ;;
arm) in_test_root arm && need_for_arm ;;
*) fail "say what for: .ci/setup.sh run or deb." ;;
esac
