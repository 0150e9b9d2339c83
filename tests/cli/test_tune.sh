#!/bin/sh
# SPDX-License-Identifier: MIT
# train --tune on a tiny workspace: imported files of generated bars (for tests alone), trials in register, status and JSON.
set -u
. "$CSM_SOURCE_DIR/tests/cli/cli.sh"
mkdir -p "$folder/data/listings" "$folder/data/segments" "$folder/bars"
python3 - "$folder" <<'PY'
import math, random, sys
folder = sys.argv[1]
coins = ["BTC", "AAA", "BBB"]
with open(f"{folder}/data/listings/2021.csv", "w") as out:
    out.write("# as of 2021-01-01\nvenue,symbol,coin,quote,status,reason\n")
    out.writelines(f"test,{coin}/USD,{coin},USD,online,\n" for coin in coins)
with open(f"{folder}/data/segments/manifest.json", "w") as out:
    out.write('{"format": "cryptosmart manifest", "segments": [], "version": 1}')
for number, coin in enumerate(coins):
    numbers, price = random.Random(number), 100.0
    with open(f"{folder}/bars/{coin}.csv", "w") as out:
        out.write("ts,open,high,low,close,volume\n")
        for hour in range(24 * 200):
            close = price * math.exp(0.01 * numbers.gauss(0, 1))
            out.write(f"{1609459200 + 3600 * hour},{price:.6f},{max(price, close) * 1.001:.6f},{min(price, close) * 0.999:.6f},{close:.6f},{100 + numbers.random():.3f}\n")
            price = float(f"{close:.6f}")
PY
cat >"$folder/small.yaml" <<'YAML'
train: {horizons: [24h], steps: [24h], spans: [0s], windows: [0s], first: [100d], test_span: 50d, bootstrap: 20, tune_folds: 2}
gbt: {rounds: 20, leaves: 4, min_rows: 20}
lstm: {hidden: 4, epochs: 1, window: 6}
gate: {horizon: 24h}
YAML
small="-c $folder/small.yaml"
end=2021-07-19T00:00:00Z

exits 0 "" adopt "$folder/data"
exits 0 "" import "$folder/bars" --venue test --quote USD --origin "generated for a test" --interval 1h
# shellcheck disable=SC2086
exits 2 "--tune: train.tune" $small train --tune many
# shellcheck disable=SC2086
exits 2 "--tune: train.tune" $small train --tune 10001
# shellcheck disable=SC2086
json $small train --as-of $end >"$folder/plain.json" || fault "train failed"
holds "$folder/plain.json" 'd["horizons"][0]["tuning_trials"] == 0'
holds "$folder/plain.json" 'd["horizons"][0]["members"][0]["parameters"]["leaves"] == 4'
json status >"$folder/status.json"
holds "$folder/status.json" 'd["trials"] == 1' # the training itself
cp -r "$workspace" "$folder/killed"

# shellcheck disable=SC2086
json $small train --as-of $end --tune 6 >"$folder/tuned.json" || fault "train --tune failed"
tried=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["horizons"][0]["tuning_trials"])' "$folder/tuned.json")
holds "$folder/tuned.json" "$tried >= 12 and $tried % 6 == 0" # six for each member with something to search
holds "$folder/tuned.json" 'all(4 <= m["parameters"]["leaves"] <= 64 for m in d["horizons"][0]["members"] if "leaves" in m["parameters"])'
json status >"$folder/status.json"
holds "$folder/status.json" "d['trials'] == $tried + 2"
exits 0 "$((tried + 2)) trials" status
# The same search again is the same trials, and the same model.
# shellcheck disable=SC2086
json $small train --as-of $end --tune 6 >"$folder/again.json" || fault "train --tune failed again"
cmp -s "$folder/tuned.json" "$folder/again.json" || fault "the same search gave another training"
json status >"$folder/status.json"
holds "$folder/status.json" "d['trials'] == $tried + 2"
exits 0 "chosen among $tried trials" evaluate

# Killed in the middle of the search, in a workspace of its own: it goes on, and ends as the other did.
# shellcheck disable=SC2086
"$program" --workspace "$folder/killed" --json $small train --as-of $end --tune 6 >/dev/null 2>&1 &
search=$!
tries=0
while [ ! -e "$folder/killed/tune/1d-trees.safetensors" ] && kill -0 $search 2>/dev/null && [ $tries -lt 6000 ]; do
    tries=$((tries + 1))
    sleep 0.01
done
kill -9 $search 2>/dev/null
wait $search 2>/dev/null
# shellcheck disable=SC2086
"$program" --workspace "$folder/killed" --json $small train --as-of $end --tune 6 >"$folder/resumed.json" 2>/dev/null || fault "the killed search did not go on"
checks=$((checks + 1))
cmp -s "$folder/tuned.json" "$folder/resumed.json" || fault "the killed search ended otherwise"
"$program" --workspace "$folder/killed" --json status >"$folder/status.json"
holds "$folder/status.json" "d['trials'] == $tried + 2"

python3 - "$workspace/catalog.db" <<'PY' || fault "the register can be changed"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for sql in ("UPDATE trials SET loss = 0", "DELETE FROM trials"):
    try:
        db.execute(sql)
    except sqlite3.IntegrityError as error:
        if "append-only" in str(error):
            continue
    sys.exit(1)
PY
finish
