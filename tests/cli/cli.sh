# SPDX-License-Identifier: MIT
# What the tests of the command line share: a folder of their own and a few words.
program=$CSM_BINARY_DIR/cryptosmart
folder=$(mktemp -d "${TMPDIR:-/tmp}/csm-cli-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
workspace=$folder/workspace
faults=0
checks=0

[ -x "$program" ] || { echo "skipped: $program is not built"; exit 77; }

fault() {
    echo "FAULT: $*" >&2
    faults=$((faults + 1))
}

run() { "$program" --workspace "$workspace" "$@"; }
json() { "$program" --workspace "$workspace" --json "$@"; }

# exits CODE TEXT ARGUMENTS...: the command ends with CODE and says TEXT somewhere.
exits() {
    wanted=$1
    text=$2
    shift 2
    run "$@" >"$folder/said" 2>&1
    code=$?
    checks=$((checks + 1))
    [ $code -eq "$wanted" ] || fault "'$*' ended with $code instead of $wanted: $(tail -n 3 "$folder/said")"
    grep -qF -- "$text" "$folder/said" || fault "'$*' did not say '$text': $(tail -n 3 "$folder/said")"
}

# holds FILE PYTHON: the expression over the JSON document d is true.
holds() {
    checks=$((checks + 1))
    python3 -c "import json,sys; d=json.load(open(sys.argv[1])); sys.exit(0 if ($2) else 1)" "$1" || fault "$2 does not hold in $(basename "$1")"
}

finish() {
    echo "$checks checks, $faults faults"
    [ $faults -eq 0 ]
    exit
}
