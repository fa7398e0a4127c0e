#!/usr/bin/env bash
# Installs greeter as a service: program and models in /opt/greeter, configuration in /etc/greeter, people in /var/lib/greeter,
# events in /var/log/greeter.
# Run it again after each upgrade: configuration, people and key stay as they are.
#   sudo scripts/install-service.sh                 install, enable and start
#   scripts/install-service.sh --prefix DIR         put the files under DIR instead, for an image or a look; makes no user, starts nothing
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'install: %s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

prefix=
case "${1:-}" in
    --prefix) prefix=${2:?--prefix needs a folder} ;;
    '') [ "$(id -u)" = 0 ] || fail "run this as root: sudo scripts/install-service.sh" ;;
    *) fail "unknown option $1; the only one is --prefix DIR" ;;
esac

binary=${GREETER_BINARY:-target/release/greeter}
[ -x "$binary" ] || fail "$binary is missing; build it first: cargo build --release"
[ -s .runtime/libonnxruntime.so ] || fail ".runtime/libonnxruntime.so is missing; fetch it first: scripts/setup.sh"

if [ -z "$prefix" ] && ! id greeter >/dev/null 2>&1; then
    say "making the user greeter"
    useradd --system --user-group --home-dir /var/lib/greeter --no-create-home --shell /usr/sbin/nologin greeter
fi

# Beside the old one first, so that an interrupted copy leaves the old program whole.
to=$prefix/opt/greeter
new=$to.new
rm -rf "$new"
mkdir -p "$new/bin" "$new/.runtime"
install -m 755 "$binary" "$new/bin/greeter"
install -m 755 .runtime/libonnxruntime.so "$new/.runtime/libonnxruntime.so"
cp -r models assets LICENSE "$new/"
[ ! -d docs ] || cp -r docs "$new/"
# Networks that the operator has installed stay.
for network in "$to"/models/*.onnx; do
    [ ! -e "$network" ] || [ -e "$new/models/${network##*/}" ] || cp "$network" "$new/models/"
done
chmod -R u=rwX,go=rX "$new"
rm -rf "$to.old"
[ ! -e "$to" ] || mv "$to" "$to.old"
mv "$new" "$to"
rm -rf "$to.old"
say "program in $to"

etc=$prefix/etc/greeter
mkdir -p "$etc"
if [ ! -e "$etc/greeter.toml" ]; then
    sed -e '/^\[store\]/,/^\[greeting\]/ s|^#folder = .*|folder = "/var/lib/greeter/store"|' \
        -e 's|^#key_file = .*|key_file = "/var/lib/greeter-key/store.key"|' \
        -e '/^\[journal\]/,$ s|^#folder = .*|folder = "/var/log/greeter"|' \
        assets/greeter.example.toml >"$etc/greeter.toml.new"
    mv "$etc/greeter.toml.new" "$etc/greeter.toml"
    say "configuration in $etc/greeter.toml"
elif ! grep -q '^ *\[journal\]' "$etc/greeter.toml"; then
    # A version that wrote no events by itself made it: their folder must be one that the service may write.
    printf '\n# What happened, on the disk: events with record numbers and no names, a file a day.\n[journal]\nfolder = "/var/log/greeter"\n' >>"$etc/greeter.toml"
    say "events go to /var/log/greeter, as $etc/greeter.toml says now"
fi
chmod 644 "$etc/greeter.toml"

# Staff type `sudo greeter sync …`; store and key must stay the service user's, whoever types it.
mkdir -p "$prefix/usr/local/bin"
cat >"$prefix/usr/local/bin/greeter.new" <<'WRAPPER'
#!/bin/sh
# Runs greeter as its own user, so that store and key stay that user's. `greeter models` changes /opt and /etc, so root runs it as it is.
program=/opt/greeter/bin/greeter
command=
skip=
for word; do
    if [ -n "$skip" ]; then skip=; continue; fi
    case $word in
        --config) skip=1 ;;
        -*) ;;
        *) command=$word; break ;;
    esac
done
if [ "$(id -u)" = 0 ] && [ "$command" != models ]; then
    mkdir -p /run/greeter-staff
    chown greeter: /run/greeter-staff
    chmod 700 /run/greeter-staff
    for folder in /var/lib/greeter /var/lib/greeter-key; do
        [ -d "$folder" ] || install -d -m 700 -o greeter -g greeter "$folder"
    done
    [ -d /var/log/greeter ] || install -d -m 750 -o greeter -g greeter /var/log/greeter
    export HOME=/var/lib/greeter XDG_RUNTIME_DIR=/run/greeter-staff
    # Where systemd has the key (see the unit), a command gets it as the service does.
    credential=$(systemctl cat greeter.service 2>/dev/null | grep -E '^LoadCredential(Encrypted)?=greeter-key:' | tail -n 1)
    if [ -n "$credential" ]; then
        way=--pipe
        if [ -t 0 ] && [ -t 1 ]; then way=--pty; fi
        exec systemd-run --quiet --collect --wait "$way" --same-dir -p User=greeter -p Group=greeter \
            -p "SupplementaryGroups=video audio" -p UMask=0077 -p LimitCORE=0 -p "$credential" \
            "--setenv=HOME=$HOME" "--setenv=XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR" ${SUDO_USER:+"--setenv=SUDO_USER=$SUDO_USER"} \
            "$program" "$@"
    fi
    exec setpriv --reuid=greeter --regid=greeter --groups="$(id -g greeter),$(getent group video | cut -d: -f3),$(getent group audio | cut -d: -f3)" "$program" "$@"
fi
exec "$program" "$@"
WRAPPER
chmod 755 "$prefix/usr/local/bin/greeter.new"
mv "$prefix/usr/local/bin/greeter.new" "$prefix/usr/local/bin/greeter"

unit=$prefix/etc/systemd/system/greeter.service
mkdir -p "${unit%/*}"
install -m 644 assets/greeter.service "$unit"

if [ -z "$prefix" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable greeter
    systemctl restart greeter
    say "the service runs; watch it with: journalctl -fu greeter"
elif [ -z "$prefix" ]; then
    say "systemd does not run here, so nothing was started; where it does: systemctl enable --now greeter"
fi
cat <<'NEXT'
install: next steps
    sudo greeter doctor
    sudo greeter sync roster.csv --photos photos/     (both readable for the user greeter)
    your own counters: sudo cp /opt/greeter/assets/routing.toml /etc/greeter/ and edit; then sudo systemctl restart greeter
  to uninstall
    sudo systemctl disable --now greeter
    sudo rm -r /opt/greeter /usr/local/bin/greeter /etc/systemd/system/greeter.service; sudo systemctl daemon-reload
    the people, their key and the events, for good: sudo rm -r /var/lib/greeter /var/lib/greeter-key /var/log/greeter /etc/greeter; sudo userdel greeter
NEXT
