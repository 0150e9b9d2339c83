#!/bin/sh
# SPDX-License-Identifier: MIT
# The evaluation of docs/evaluation.md. sh tests/evaluation/run.sh PROGRAM FOLDER [DATA]
#   PROGRAM  the cryptosmart program
#   FOLDER   gets workspace/, report.html, evaluation.json and log.txt; a workspace there is used as it is
#   DATA     folder of recorded data (default $CSM_SHARED_DATA/data)
# About 3 GB of memory, and minutes to an hour of 2 processors. With the same data, program and seed the result is the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -lt 2 ]; then
    sed -n '3,7s/^# //p' "$0" >&2
    exit 2
fi
program=$1
folder=$2
data=${3-${CSM_SHARED_DATA-../shared}/data}
as_of=2023-12-30T00:00:00Z
mkdir -p "$folder"
if [ ! -d "$folder/workspace" ]; then
    python3 "$here/prepare.py" "$data/market/binance_spot_1h_2021_2023" "$data/sentiment/fear_greed/fear_greed_daily.csv" \
        "$program" "$folder/workspace" 2>"$folder/log.txt"
fi
"$program" --version
"$program" --workspace "$folder/workspace" --json train --as-of "$as_of" >"$folder/training.json" 2>>"$folder/log.txt"
"$program" --workspace "$folder/workspace" --json evaluate --html "$folder/report.html" >"$folder/evaluation.json" 2>>"$folder/log.txt"
echo "$folder/report.html"
