#!/bin/bash
# Checks what building (or testing) Mimpi Kiosk needs and installs what is missing
# with apt, one sentence each. Changes nothing where everything is there already.
#
#   .ci/setup.sh run     to build and run
#   .ci/setup.sh deb     to build the packages
#   .ci/setup.sh test    the same, and what the tests use
#   .ci/setup.sh bench   to build, and the programs that make bench compares with
#   .ci/setup.sh arm     to build the packages, and to run programs for the Raspberry Pi here

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

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1
}

# can_install PACKAGE: ends the script with the reason when apt cannot be used.
can_install() {
    has apt-get ||
        fail "$1 is missing and this machine has no apt-get (Debian's package tool). Install $1 by hand, then run make again."
    [ "$(id -u)" = 0 ] || has sudo ||
        fail "$1 is missing, and installing it needs root or sudo. Run 'apt-get install $1' as root, then run make again."
    [ -n "$apt_lists_fresh" ] && return
    echo "Refreshing apt's package lists..."
    as_root true || fail "sudo did not give root's rights, which installing $1 needs. Run 'apt-get install $1' as root, then run make again."
    apt_get -o APT::Update::Error-Mode=any update ||
        echo "Not every list of apt could be refreshed (the reason is in $log); going on with what there is." >&2
    apt_lists_fresh=yes
}

# install PACKAGE "WHAT IT IS FOR"
install() {
    can_install "$1"
    echo "Installing $1 ($2) with apt..."
    apt_get install -y --no-install-recommends "$1" && return
    tail -n 5 "$log" >&2
    fail "apt could not install $1 ($2). The lines above are from $log. Check the network and apt's sources, or install $1 by hand, then run make again."
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
    go version >>"$log" 2>&1 && return
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
    [ -e /etc/ssl/certs/ca-certificates.crt ] || install ca-certificates "lets Go and npm trust their registries"
}

need_for_test() {
    need chromium chromium "browser for the tests"
    need zbarimg zbar-tools "reads the QR codes in screenshots"
    need ffmpeg ffmpeg "makes long and broken films for the tests"
    need mpv mpv "plays the film on the Raspberry Pi"
    need cage cage "a screen that can be pulled out, for the tests"
    need Xwayland xwayland "without which Debian 12's cage ends at once"
    need pulseaudio pulseaudio "a loudspeaker that can be pulled out, for the tests"
    need pactl pulseaudio-utils "pulls it out"
    need sqlite3 sqlite3 "looks into journals from outside"
    need espeak-ng espeak-ng "reads questions aloud"
    need sox sox "listens to what is read aloud in the tests"
    need ip iproute2 "a network for phones that can be taken away"
    need dnsmasq dnsmasq-base "names on the kiosk's Wi-Fi"
    need mmdebstrap mmdebstrap "makes the labs' Debian"
    need mkfs.vfat dosfstools "makes USB sticks for the tests"
    need mkfs.exfat exfatprogs "makes USB sticks for the tests"
    need losetup mount "lets the tests plug them in"
    need minisign minisign "checks the kiosk's signatures"
    need age age "opens what the kiosk encrypts"
    need localc libreoffice-calc "opens the coordinators' spreadsheet"
    need pdftoppm poppler-utils "turns its pages into pictures"
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
        install postgresql "PostgreSQL, which the coordinators' tool writes into"
}

need_for_lab() { # virtual machines and packages
    need systemd-analyze systemd "judges the units"
    need systemd-nspawn systemd-container "a Debian with its own systemd, without a virtual machine"
    need qemu-system-x86_64 qemu-system-x86 "virtual machines for the labs"
    need qemu-io qemu-utils "asks the labs' disks for writes and flushes"
    need mdir mtools "looks into FAT sticks of the labs"
    need mount.exfat-fuse exfat-fuse "looks into exFAT sticks of the labs"
    need fusermount fuse3 "mounts those"
    need gpiomon gpiod "listens to GPIO lines, beside the kiosk"
    need_kernel_parts
}

# The source and the headers of Debian's own kernel, in one version: the GPIO lab builds a
# module that Debian leaves out.
need_kernel_parts() {
    compgen -G '/usr/src/linux-source-*.tar.xz' >/dev/null && compgen -G '/usr/src/linux-headers-*-amd64' >/dev/null && return
    can_install linux-source
    local headers series
    headers=$(LC_ALL=C apt-cache depends linux-headers-amd64 | sed -n 's/^ *Depends: \(linux-headers-[0-9].*\)/\1/p' | head -n 1)
    series=$(echo "$headers" | grep -o '[0-9]*\.[0-9]*' | head -n 1) # "6.1"
    [ -n "$series" ] || fail "apt knows no linux-headers-amd64, which the GPIO lab's kernel module is built with. Check apt's sources, then run make again."
    install "linux-source-$series" "the kernel's source, for the simulated GPIO chip"
    install "$headers" "the kernel's headers, for the simulated GPIO chip"
}

need_for_bench() {
    need mpv mpv "plays the film on the Raspberry Pi"
    need qrencode qrencode "draws QR codes, beside the kiosk"
    has nginx || [ -x build/bench/nginx/usr/sbin/nginx ] || unpack_nginx
}

# Unpacked only: an installed nginx would serve this machine's port 80.
unpack_nginx() {
    can_install nginx
    echo "Fetching nginx (serves the film, beside the kiosk) with apt, to unpack it in build/bench..."
    local into=build/bench/nginx
    rm -rf "$into" && mkdir -p "$into" &&
        (cd "$into" && apt-get -q download nginx) >>"$log" 2>&1 &&
        dpkg-deb -x "$into"/nginx_*.deb "$into" && "$into/usr/sbin/nginx" -v >>"$log" 2>&1 && return
    tail -n 5 "$log" >&2
    fail "nginx could not be had with apt. The lines above are from $log. Check the network and apt's sources, then run make again."
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
    need mmdebstrap mmdebstrap "makes the labs' Debian"
    need mkfs.vfat dosfstools "makes USB sticks for the tests"
    need qemu-system-aarch64 qemu-system-arm "the Raspberry Pi 4's processor, emulated"
    need qemu-aarch64-static qemu-user-static "runs its programs while the guest's Debian is made"
    need arch-test arch-test "by which mmdebstrap sees that it can run them"
    need update-binfmts binfmt-support "lets the kernel start them"
    [ -e /proc/sys/fs/binfmt_misc/register ] || as_root mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc >>"$log" 2>&1
    local processor
    for processor in qemu-aarch64 qemu-arm; do
        [ -e "/proc/sys/fs/binfmt_misc/$processor" ] || as_root update-binfmts --enable "$processor" >>"$log" 2>&1
        [ -e "/proc/sys/fs/binfmt_misc/$processor" ] ||
            fail "the kernel was not told to start programs for ARM with $processor (the reason may be in $log). In a container, binfmt_misc has to be set up on its host; then run make again."
    done
}

mkdir -p build
: >"$log"
case "${1:-}" in
run) need_for_run ;;
test) need_for_run && need_for_test && need_for_lab && need_for_deb ;;
deb) need_for_run && need_for_deb ;;
bench) need_for_run && need_for_bench ;;
arm) need_for_run && need_for_test && need_for_deb && need_for_arm ;;
*) fail "say what for: .ci/setup.sh run, deb, test, bench or arm." ;;
esac
