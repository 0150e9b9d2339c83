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
grep -q 'Skill or luck' "$folder/report.html" || fault "the report does not tell skill from luck"
# shellcheck disable=SC2086
json $small evaluate >"$folder/evaluate.json" || fault "evaluate failed"
holds "$folder/evaluate.json" 'all(s["blocks"] > 20 and s["dates"] >= s["silent_dates"] and s["superior_to_market"] and s["overfitting"] for s in (h["skill"] for h in d["horizons"]))'
holds "$folder/evaluate.json" 'all(0 < sum(r["rows"] for r in h["regimes"]) <= h["model"]["rows"] for h in d["horizons"])'
exits 0 "every hash and row holds" doctor

# A backup is checked by restoring it: the same predictions, the same bytes. A flipped bit is found and not restored.
# shellcheck disable=SC2086
run $small backup "$folder/backup" >/dev/null || fault "backup failed"
exits 1 "needs an empty folder" backup "$folder/backup"
# shellcheck disable=SC2086
json $small verify "$folder/backup" >"$folder/checked.json" || fault "verify failed"
holds "$folder/checked.json" 'd["findings"] == 0 and d["ledger_rows"] == 1 + 23 * 2 and d["equal"] == d["predictions"] == 23 * 2'
[ ! -e "$folder/backup.verify" ] || fault "verify left its scratch folder"
"$program" --workspace "$folder/restored" restore "$folder/backup" >/dev/null || fault "restore failed"
# shellcheck disable=SC2086
"$program" --workspace "$folder/restored" $small rank --as-of 2023-12-30T00:00:00Z --csv >"$folder/restored.csv" || fault "rank of the restored workspace"
cmp -s "$folder/rank.csv" "$folder/restored.csv" || fault "the restored workspace predicts other bytes"
python3 - "$folder/backup" <<'PY'
import json, os, sys
name = [f["path"] for f in json.load(open(sys.argv[1] + "/backup.json"))["files"] if f["path"].endswith(".h5")][3]
path = os.path.join(sys.argv[1], name)
data = bytearray(open(path, "rb").read())
data[len(data) // 2] ^= 4
os.remove(path)  # the workspace's own file is the same one
open(path, "wb").write(data)
PY
exits 7 "SHA-256" verify "$folder/backup"
rm -rf "$folder/restored"

# What the loop looks at and says.
now="--now 2023-12-30T00:30:00Z"
# shellcheck disable=SC2086
json $small $now status >"$folder/status.json"
holds "$folder/status.json" '[g["horizon"] for g in d["gates"]] == ["24h", "30d"] and all(g["open"] and not g["trade"] and "live clock" in g["text"] for g in d["gates"])'
# shellcheck disable=SC2086
json $small status >"$folder/status.json"
holds "$folder/status.json" 'all(g["reasons"] == ["MODEL_EXPIRED"] and not g["open"] for g in d["gates"])'
# shellcheck disable=SC2086
json $small $now explain BTC --horizon 24h >"$folder/explain.json" || fault "explain failed"
holds "$folder/explain.json" 'd["explained"] == "trees" and len(d["contributions"]) > 90'
holds "$folder/explain.json" 'abs(d["base"] + sum(c["contribution"] for c in d["contributions"]) - next(h for h in d["forecast"]["horizons"] if h["horizon"] == "24h")["members"][0]["score"]) < 1e-6'
# shellcheck disable=SC2086
exits 3 "no market or coin 'NOPE'" $small $now explain NOPE
exits 3 "no champion before" models rollback
exits 0 "noted beside row 2" feedback 2 right --who tester --text "seen it"
exits 3 "row 1 is no forecast" feedback 1 right
# shellcheck disable=SC2086
json $small $now health >"$folder/health.json"
holds "$folder/health.json" 'd["score"] is None and not d["go"] and [p["value"] for p in d["parts"] if p["name"] == "feedback success"] == [1.0] and abs(sum(p["weight"] for p in d["parts"]) - 1) < 1e-12'
# shellcheck disable=SC2086
json $small $now learn --no-train >"$folder/learn.json" || fault "learn failed"
holds "$folder/learn.json" 'd["matured"] == 0 and d["decisions"] == []'
# The chain, recomputed from the export by other means.
run ledger export "$folder/ledger.jsonl" >/dev/null || fault "ledger export failed"
checks=$((checks + 1))
python3 - "$folder/ledger.jsonl" <<'PY' || fault "the exported chain is not what docs/learn.md says"
import hashlib, json, math, struct, sys
previous = "0" * 64
integers = "row kind batch written decision interval horizon epoch show trade evidence backfill".split()
reals = "probability lower expected low high cost price".split()
texts = "market coin text".split()
for line in open(sys.argv[1], encoding="ascii"):
    row = json.loads(line)
    assert row["previous"] == previous
    data = previous.encode() + b"\0" + b"".join(struct.pack("<q", row[name]) for name in integers)
    for name in reals:
        value = row[name]
        data += struct.pack("<q", -(2**63)) if value is None else struct.pack("<d", value)
    data += b"".join(row[name].encode() + b"\0" for name in texts)
    previous = hashlib.sha256(data).hexdigest()
    assert row["hash"] == previous, row["row"]
PY

segment=$(find "$workspace/segments" -name '*.h5' | sort | head -n 1)
chmod u+w "$segment"
printf 'X' | dd of="$segment" bs=1 seek=3000 conv=notrunc 2>/dev/null
exits 7 "$(basename "$segment")" doctor
finish
