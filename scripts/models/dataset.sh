# Sourced by the scripts here that measure on photos of known people: SCRIPT DATASET GROUP. Sets `dataset` and `group`, goes to the project
# and builds the program.
#
# DATASET: a folder of photos a person (evaluation only; none is in the box). GROUP: the people like those who will come, a folder's name
# a line.

[ $# = 2 ] || { echo "usage: $0 DATASET GROUP" >&2; exit 2; }
dataset=$(realpath "$1")
group=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cargo build --quiet --release
