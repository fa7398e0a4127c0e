#!/usr/bin/env bash
# Installs what greeter needs on Debian bookworm: packages to build and to run, and ONNX Runtime in .runtime/.
# Does nothing, quickly, when nothing is missing. With --tests it also installs what scripts/test.sh needs, with --long after it what
# rebuilding the networks needs.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

packages=(
    # to build
    gcc libc6-dev pkg-config libasound2-dev libspeechd-dev libclang-dev
    # to run: sound, voices
    libasound2 libasound2-plugins libspeechd2 libgcc-s1 speech-dispatcher speech-dispatcher-espeak-ng espeak-ng
    # to fetch ONNX Runtime
    python3 python3-pip ca-certificates
)
if [ "${1:-}" = --tests ]; then
    # a sound server to listen to, a virtual environment for the recogniser, loop devices for full disks, systemd-analyze, moved clocks
    packages+=(pulseaudio pulseaudio-utils dbus python3-venv e2fsprogs procps systemd faketime)
fi
if [ "${2:-}" = --long ]; then
    packages+=(unzip)
    command -v npm >/dev/null || packages+=(npm)
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || fail "this is no Debian system; install the counterparts of: ${missing[*]}"
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "run as root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v cargo >/dev/null || fail "Rust $needed or newer is missing; get it with rustup (https://rustup.rs), then run this again"
version=$(rustc --version | cut -d' ' -f2)
oldest=$(printf '%s\n%s\n' "$needed" "$version" | sort -V | head -n1)
[ "$oldest" = "$needed" ] || fail "Rust $version is too old, $needed is needed: rustup update stable"

library=.runtime/libonnxruntime.so
wanted=$(sha256sum scripts/onnxruntime.txt | cut -d' ' -f1)
if [ ! -s "$library" ] || [ "$(cat .runtime/fetched-by 2>/dev/null)" != "$wanted" ]; then
    say "fetching ONNX Runtime"
    mkdir -p .runtime
    fetched=$(mktemp -d .runtime/fetch.XXXXXX)
    trap 'rm -rf "$fetched"' EXIT
    machine=$(uname -m)
    case $machine in x86_64 | aarch64) ;; *) fail "there is no ONNX Runtime wheel for $machine" ;; esac
    # Debian's own Python first: another python3 on the path may lack pip.
    python=/usr/bin/python3
    "$python" -m pip download --quiet --no-deps --require-hashes --only-binary=:all: --python-version 3.11 \
        --platform "manylinux_2_28_$machine" --dest "$fetched" -r scripts/onnxruntime.txt
    "$python" -m zipfile -e "$fetched"/onnxruntime-*.whl "$fetched/wheel"
    mv "$(ls "$fetched"/wheel/onnxruntime/capi/libonnxruntime.so.*)" "$library.new"
    sync -f "$library.new"
    mv "$library.new" "$library"
    printf '%s\n' "$wanted" >.runtime/fetched-by
fi
