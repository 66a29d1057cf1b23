#!/bin/bash
# The Debian 13 in which every test runs, whatever Debian this machine has: a root file
# system made from packages, entered in mount and process namespaces of its own.
#
#   .ci/root.sh run COMMAND...   runs the command in it, in this checkout
#   .ci/root.sh clean            removes it, and what was fetched for it
#
# It is kept below the user's cache folder until .ci/packages.txt changes. What a command
# changes in it, outside this checkout and the caches, is thrown away when the command ends.
# This machine needs make, git, mmdebstrap and debian-archive-keyring; of these only the
# last two are installed, with apt, where they are missing. No other package is installed
# or removed, and when the command has ended a check looks for what is left behind.

set -uo pipefail
shopt -s inherit_errexit

checkout=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mimpi-kiosk
suite=trixie
recipe=2 # raise it when the way in which the root is made changes

say() { printf '%s\n' "$*" >&2; }

fail() {
    printf '\nThe tests cannot run: %s\n' "$*" >&2
    exit 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

packages() { sed -e 's/ .*//' -e '/^#/d' -e '/^$/d' "$checkout/.ci/packages.txt"; }

root_name() { # changes with the packages, the recipe and the processor
    printf 'debian-%s-%s' "$suite" "$({ echo "$recipe $(dpkg --print-architecture)"; packages; } | sha256sum | cut -c1-12)"
}

# ---- making it ----

need_root_rights() {
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null || fail "they make a Debian and mount file systems, which needs root. Run make as root, or install sudo."
    as_root true || fail "sudo did not give root's rights, which making a Debian and mounting file systems needs."
}

need_mmdebstrap() {
    command -v mmdebstrap >/dev/null && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] && return
    command -v apt-get >/dev/null || fail "mmdebstrap and debian-archive-keyring are missing, and this machine has no apt-get. Install them by hand."
    say "Installing mmdebstrap and debian-archive-keyring with apt (nothing is removed)..."
    local said
    if ! said=$(as_root env DEBIAN_FRONTEND=noninteractive sh -c '
        apt-get -q -o Acquire::Retries=3 update
        exec apt-get -q -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 install mmdebstrap debian-archive-keyring' 2>&1 </dev/null); then
        say "$said"
        fail "apt could not install mmdebstrap and debian-archive-keyring: the lines above say why."
    fi
}

# Settings of this machine's apt that a proxy needs.
apt_proxy() { apt-config dump --format '%f "%v";%n' Acquire 2>/dev/null | grep -i '::proxy' || true; }

need_room() { # MEGABYTES FOLDER
    local free
    free=$(df --output=avail -BM "$2" | tail -n 1 | tr -dc 0-9)
    [ "$free" -ge "$1" ] || fail "$2 has $free MB free, and they need $1 MB. Make room, or set XDG_CACHE_HOME to a folder on a larger disk."
}

make_root() {
    local root=$1 count
    count=$(packages | wc -l)
    mkdir -p "$cache" || fail "$cache cannot be written."
    need_room 14000 "$cache"
    say "Making a Debian 13 for the tests in $root, once:
  $count packages and what they depend on, 0.9 GB to fetch, 4.5 GB on the disk, 5 to 10 minutes.
  With the modules of Go, the packages of npm and the labs' own Debians: 2.5 GB to fetch, 14 GB on the disk.
  'make clean-root' removes all of it."
    say "Packages that are installed on this machine and files outside $cache and $checkout stay as they are."
    as_root rm -rf "$root.part" || fail "$root.part cannot be removed."
    local hook='printf "%s\n" "[safe]" "directory = *" >"$1/etc/gitconfig"; mkdir -p "$1/.host"; rm -f "$1/etc/resolv.conf"; printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"'
    local options=()
    while IFS= read -r setting; do
        [ -z "$setting" ] || options+=("--aptopt=$setting")
    done <<<"$(apt_proxy)"
    as_root env INITRD=No "$checkout/.ci/progress.sh" "making the Debian 13" mmdebstrap --mode=root --variant=minbase "${options[@]}" \
        --aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/help/*' \
        --include="$(packages | paste -sd,)" --customize-hook="$hook" \
        "$suite" "$root.part" >&2 ||
        fail "mmdebstrap could not make a Debian 13: the lines above say why. Check the network and apt's proxy, then run make again."
    as_root mv "$root.part" "$root" || fail "$root.part cannot be renamed."
    local old
    for old in "$cache"/debian-*; do
        [ "$old" = "$root" ] || remove "$old"
    done
}

# ---- entering it ----

# What a root needs of this machine: where the registries are, and whom to trust.
passed_on=(GOPROXY GONOPROXY GOSUMDB GONOSUMDB GOPRIVATE GOINSECURE http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY CI TERM)

enter='
set -eu
root=$1 run=$2 checkout=$3 git=$4 cache=$5; shift 5
mount -t overlay overlay -o "lowerdir=$root,upperdir=$run/changes,workdir=$run/work" "$run/root"
cd "$run/root"
mkdir -p ".$checkout" ".$git" root/.cache/go-build root/.cache/mimpi-kiosk root/go/pkg/mod root/.npm
mount --bind "$checkout" ".$checkout"
[ "$git" = "$checkout/.git" ] || mount --bind -o ro "$git" ".$git"
mount --bind "$cache/go-build" root/.cache/go-build
mount --bind "$cache/go-mod" root/go/pkg/mod
mount --bind "$cache/npm" root/.npm
mount --bind "$cache/labs" root/.cache/mimpi-kiosk
mount --bind -o ro /etc/ssl/certs etc/ssl/certs
cp -L /etc/resolv.conf /etc/hosts etc/
cp "$run/apt-proxy" etc/apt/apt.conf.d/90host
[ ! -e "$run/npmrc" ] || cp "$run/npmrc" root/.npmrc
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id # systemd-nspawn wants one
echo "Written by .ci/root.sh: make runs the tests here." >etc/mimpi-kiosk-test-root
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/lock
pivot_root . .host
umount -l /.host
cd "$checkout"
trap : INT TERM # the command ends by it, then this shell
code=0
"$@" || code=$?
exit $code
'

run() {
    need_root_rights
    as_root unshare --mount --pid --fork true 2>/dev/null ||
        fail "this machine refuses namespaces (unshare --mount --pid). In a container they need CAP_SYS_ADMIN; run make on a machine of its own or in a virtual machine."
    local root
    root=$cache/$(root_name)
    if [ ! -e "$root" ]; then
        need_mmdebstrap
        make_root "$root"
    fi
    mkdir -p "$cache"/{go-build,go-mod,npm,labs}

    local run
    run=$(mktemp -d "$cache/run.XXXXXX") || fail "$cache cannot be written."
    mkdir "$run"/{changes,work,root}
    apt_proxy >"$run/apt-proxy"
    # Where npm fetches from, without the names and passwords that may stand beside it.
    npm config get registry 2>/dev/null | sed -n 's/^http/registry=http/p' >"$run/npmrc"

    local settings=(HOME=/root LANG=C.UTF-8 GOTOOLCHAIN=auto
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt)
    local name
    for name in "${passed_on[@]}"; do
        [ -z "${!name:-}" ] || settings+=("$name=${!name}")
    done

    machine_state >"$run/before"
    trap : INT TERM HUP
    local git code=0
    git=$(cd "$checkout" && git rev-parse --path-format=absolute --git-common-dir 2>/dev/null) || git=$checkout/.git
    as_root unshare --mount --pid --fork --kill-child=KILL --propagation private \
        env -i "${settings[@]}" bash -c "$enter" enter "$root" "$run" "$checkout" "$git" "$cache" "$@" || code=$?

    # Of a user who used sudo: what the tests wrote into the checkout is the user's.
    local owner
    owner=$(stat -c %u:%g "$checkout")
    [ "$owner" = 0:0 ] || as_root find "$checkout" -xdev -uid 0 -exec chown -h "$owner" {} +

    tidy "$run" || code=$?
    trap - INT TERM HUP
    return $code
}

# ---- what must not be left behind ----

# What a stage could change on the machine itself, a line each.
machine_state() {
    {
        losetup --list --noheadings --output NAME,BACK-FILE 2>/dev/null | sed 's/^/loop device /'
        find /sys/class/net -mindepth 1 -printf 'network interface %f\n'
        # Those of systemd-nspawn; others come and go by themselves.
        find /sys/fs/cgroup -type d \( -name '*kiosk*' -o -name payload -o -name supervisor \) -printf 'control group %p\n' 2>/dev/null
        find /proc/sys/fs/binfmt_misc -mindepth 1 -printf 'binfmt_misc %f\n' 2>/dev/null
        findmnt --list --noheadings --output TARGET | grep -F "$cache" | sed 's/^/mount /'
        find /boot /etc/systemd/system -printf '%p\n' 2>/dev/null
        dpkg-query --show --showformat 'package ${Package} ${Version} ${db:Status-Status}\n' 2>/dev/null
    } | sort
}

# tidy says what was left or is gone, ends what may be ended, and removes the folder of the run.
tidy() {
    local run=$1 left processes changed
    # systemd-nspawn's control groups stay when it is killed; those with a process in them cannot go.
    machine_state | comm -13 "$run/before" - | sed -n 's/^control group //p' | while read -r group; do
        as_root find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
    done
    processes=$(as_root grep -lF " $run/root" /proc/[0-9]*/mountinfo 2>/dev/null | cut -d/ -f3 | paste -sd,)
    left=$([ -z "$processes" ] || ps -o pid=,args= -p "$processes" | sed 's/^/process /')
    changed=$(machine_state | diff "$run/before" - | sed -n 's/^> //p; s/^< \(package\|\/\)/gone: \1/p')
    printf '%s\n' "$left" "$changed" | grep . | sed 's/^/Left behind on this machine: /' >&2

    sed -n 's/^loop device \([^ ]*\) .*/\1/p' <<<"$changed" | while read -r loop; do as_root losetup --detach "$loop"; done
    sed -n 's/^binfmt_misc //p' <<<"$changed" | while read -r name; do as_root sh -c "echo -1 >'/proc/sys/fs/binfmt_misc/$name'"; done
    as_root rm -rf --one-file-system "$run" || left=$run
    [ -z "$left$changed" ] || { say "The tests must leave nothing behind: that is a fault of theirs."; return 1; }
}

remove() { as_root rm -rf --one-file-system "$1" || fail "$1 cannot be removed."; }

case "${1:-}" in
run) shift && run "$@" ;;
clean) need_root_rights && remove "$cache" ;;
*) fail "say .ci/root.sh run COMMAND... or .ci/root.sh clean." ;;
esac
