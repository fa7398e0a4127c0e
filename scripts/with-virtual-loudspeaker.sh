#!/usr/bin/env bash
# Runs a command on a machine without a sound card: a PulseAudio null sink stands in for the loudspeaker.
# usage: scripts/with-virtual-loudspeaker.sh COMMAND [ARGUMENT...]
set -euo pipefail
[ $# -gt 0 ] || { sed -n '2,3s/^# //p' "$0"; exit 2; }
command -v parec >/dev/null && command -v pulseaudio >/dev/null || { echo "pulseaudio is missing: scripts/setup.sh --tests" >&2; exit 1; }

# The command may be cargo, which looks for its toolchain at home.
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
home=$(mktemp -d)
export HOME=$home XDG_RUNTIME_DIR=$home/run PULSE_SERVER=unix:$home/run/pulse.sock
mkdir -m 700 "$XDG_RUNTIME_DIR"
# ALSA programs reach the same server.
printf 'pcm.!default { type pulse }\nctl.!default { type pulse }\n' >"$HOME/.asoundrc"

end() {
    # speech-dispatcher was started for this home only; its files say which process it is.
    for pid in "$XDG_RUNTIME_DIR"/speech-dispatcher/pid/*.pid; do
        [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
    done
    kill $listener "$server" 2>/dev/null || true
    rm -rf "$home"
}
pulseaudio -n --exit-idle-time=-1 --daemonize=no --log-level=error --load="module-native-protocol-unix auth-anonymous=1 socket=$XDG_RUNTIME_DIR/pulse.sock" \
    --load="module-null-sink sink_name=hall" >/dev/null 2>&1 &
server=$!
listener=
trap end EXIT
for _ in $(seq 50); do
    [ -S "$XDG_RUNTIME_DIR/pulse.sock" ] && break
    sleep 0.1
done
# To nobody in a hurry the sink is as much as two seconds ahead, and takes no sound meanwhile, as no loudspeaker does.
parec -d hall.monitor --latency-msec=10 >/dev/null 2>&1 &
listener=$!
sleep 2
"$@"
