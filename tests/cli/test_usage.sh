#!/bin/sh
# SPDX-License-Identifier: MIT
# Arguments, configuration and exit codes of the command line, on an empty folder.
set -u
. "$CSM_SOURCE_DIR/tests/cli/cli.sh"

# exits CODE TEXT ARGUMENTS...: the command ends with CODE and says TEXT somewhere.
exits 0 "cryptosmart 0.1" --version
exits 0 "COMMAND --help" --help
exits 0 "usage: cryptosmart train" train --help
exits 2 "usage:" 
exits 2 "unknown command 'dance'" dance
exits 2 "unknown option --loud" --loud status
exits 2 "needs a value" -c
exits 2 "unknown or incomplete option --sideways" status --sideways
exits 2 "unexpected argument 'more'" status more
exits 2 "--as-of:" predict --as-of yesterday
exits 2 "an argument is missing" import --venue kraken
exits 3 "CSM_ENOTFOUND" status
exits 3 "CSM_ENOTFOUND" rank
exits 0 "does not exist yet" doctor
exits 0 "gate.threshold" options

printf 'gate:\n  threshold: 0.5\nfuse: {recip: x}\n' >"$folder/bad.yaml"
exits 2 "bad.yaml:2:3: gate.threshold" -c "$folder/bad.yaml" status
exits 2 "bad.yaml:3:8: unknown option 'fuse.recip'" -c "$folder/bad.yaml" status
exits 2 "absent.yaml" -c "$folder/absent.yaml" status
CRYPTOSMART__GATE__THRESHOLD=0.1 exits 2 "gate.threshold" status
[ ! -e "$workspace" ] || fault "looking made a workspace"

json options >"$folder/options.json"
python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert any(o["name"]=="gate.threshold" and o["value"]=="0.80" for o in d["options"])' \
    "$folder/options.json" || fault "options --json is not what it should be"
json status >"$folder/error.json" 2>/dev/null
python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["error"]["status"]=="CSM_ENOTFOUND"' "$folder/error.json" ||
    fault "an error with --json is no JSON"
finish
