#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line on the bundled sample, with small models: adopt, fuse, train, predict, learn, judge, and damage.
set -u
. "$CSM_SOURCE_DIR/tests/cli/cli.sh"
data=$CSM_SOURCE_DIR/examples/data
cat >"$folder/small.yaml" <<'YAML'
train: {horizons: [24h, 30d], steps: [24h, 24h], spans: [0s, 0s], windows: [0s, 0s], first: [270d, 270d], bootstrap: 50}
gbt: {rounds: 8, leaves: 5}
lstm: {hidden: 4, epochs: 1, window: 6}
YAML
small="-c $folder/small.yaml"

json adopt "$data" >"$folder/adopt.json" || fault "adopt failed"
holds "$folder/adopt.json" 'd["pairs"]["offered"] == d["pairs"]["processed"] + d["pairs"]["excluded"]'
holds "$folder/adopt.json" 'd["coins"]["offered"] == d["coins"]["processed"] + d["coins"]["excluded"]'
json status >"$folder/status.json"
holds "$folder/status.json" 'd["universe"] == 23 and d["rows"] > 500000 and d["ledger_rows"] == 0'
rows=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["rows"])' "$folder/status.json")
json adopt "$data" >/dev/null || fault "adopting twice failed"
json status >"$folder/status.json"
holds "$folder/status.json" "d['rows'] == $rows"

exits 3 "no model was trained" rank
# shellcheck disable=SC2086
json $small fuse --from 2023-06-01 --to 2023-06-08 >"$folder/fuse.json" || fault "fuse failed"
holds "$folder/fuse.json" 'd["rows"] > 23 * 24 * 6 and d["features"] > 90'
# shellcheck disable=SC2086
json $small train --as-of 2023-12-30T00:00:00Z >"$folder/train.json" || fault "train failed"
holds "$folder/train.json" 'len(d["horizons"]) == 2 and all(h["walk_rows"] > 10000 for h in d["horizons"])'
holds "$folder/train.json" 'all(abs(h["model"]["rank_ic"]["value"]) < 0.10 for h in d["horizons"])' # more is a leak
# shellcheck disable=SC2086
json $small predict --as-of 2023-12-30T00:00:00Z --backfill >"$folder/predict.json" || fault "predict failed"
holds "$folder/predict.json" 'len(d["all"]) == 23 and d["funnel"][-1]["left"] == len(d["shown"])'
holds "$folder/predict.json" 'all(f["reasons"] for f in d["all"] if f not in d["shown"])'
# shellcheck disable=SC2086
exits 2 "could be known already" $small predict --as-of 2023-12-30T00:00:00Z
json ledger head >"$folder/head.json"
# shellcheck disable=SC2086
json $small predict --as-of 2023-12-30T00:00:00Z --backfill >"$folder/again.json"
cmp -s "$folder/predict.json" "$folder/again.json" || fault "the same prediction gave another answer"
json ledger verify >"$folder/verify.json"
holds "$folder/verify.json" "d['verified'] and d['rows'] == 1 + 23 * 2"
# shellcheck disable=SC2086
run $small rank --as-of 2023-12-30T00:00:00Z --csv >"$folder/rank.csv" && head -n 1 "$folder/rank.csv" | grep -q '^coin,market,epoch,decision' || fault "rank --csv"
# shellcheck disable=SC2086
exits 0 "no leak" $small audit --times 3
# shellcheck disable=SC2086
exits 0 "report:" $small evaluate --html "$folder/report.html"
grep -q '<svg' "$folder/report.html" || fault "the report has no plot"
exits 0 "every hash and row holds" doctor

segment=$(find "$workspace/segments" -name '*.h5' | sort | head -n 1)
chmod u+w "$segment"
printf 'X' | dd of="$segment" bs=1 seek=3000 conv=notrunc 2>/dev/null
exits 7 "$(basename "$segment")" doctor
finish
