# SPDX-License-Identifier: MIT
# Book-keeping of tests/run.sh: steps, ctest runs and totals. File descriptor 3 is the terminal, 1 a step's log.
passed=0
failed=0
skipped=0
failures=
skips=

# step NAME TITLE COMMAND...: runs a command with its output in a log, shown when it fails. Exit code 77 means skipped,
# the last line of the output being the reason.
step() {
    name=$1
    step_log=$logs/$name.log
    began=$(date +%s)
    printf '\n== %s\n' "$2" >&3
    shift 2
    ("$@") >"$step_log" 2>&1
    code=$?
    took="$(($(date +%s) - began)) s"
    case $code in
    0)
        passed=$((passed + 1))
        grep '^: ' "$step_log" >&3 # lines a step wants seen
        echo "-- passed, $took" >&3
        ;;
    77)
        skipped=$((skipped + 1))
        skips="$skips
  $name: $(tail -n 1 "$step_log")"
        echo "-- skipped, $took: $(tail -n 1 "$step_log")" >&3
        ;;
    *)
        failed=$((failed + 1))
        failures="$failures
  $name ($step_log)"
        tail -n 60 "$step_log" >&3
        echo "-- FAILED, $took: exit code $code, whole output in $step_log" >&3
        ;;
    esac
    return $code
}

# ctest_step NAME TITLE FOLDER ARGUMENTS...: runs ctest and adds each of its tests to the totals.
ctest_step() {
    name=$1
    folder=$3
    step_log=$logs/$name.log
    began=$(date +%s)
    printf '\n== %s\n' "$2" >&3
    shift 3
    ctest --test-dir "$folder" --output-on-failure --no-tests=error --no-label-summary -j "$jobs" "$@" 2>&1 | tee "$step_log" >&3
    # "12/40 Test #7: core.time ........   Passed    0.01 sec"
    results=$(awk '
        $1 ~ /^[0-9]+\/[0-9]+$/ && $2 == "Test" {
            if ($0 ~ / Passed +[0-9.]+ sec/) p++
            else if ($0 ~ /\*\*\*Skipped|\*\*\*Not Run \(Disabled\)/) { s++; skips = skips " " $4 }
            else { f++; fails = fails " " $4 }
        }
        END { printf "%d %d %d|%s|%s", p, f, s, fails, skips }' "$step_log")
    counts=${results%%|*}
    names=${results#*|}
    # shellcheck disable=SC2086 # three words
    set -- $counts
    if [ $(($1 + $2 + $3)) -eq 0 ]; then
        failed=$((failed + 1))
        failures="$failures
  $name: ctest ran nothing ($step_log)"
    fi
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
    if [ "$2" -gt 0 ]; then
        failures="$failures
  $name:${names%%|*} ($step_log)"
    fi
    if [ "$3" -gt 0 ]; then
        skips="$skips
  $name:${names#*|}"
    fi
    # tests that a program skipped for itself
    inner=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "$folder/Testing/Temporary/LastTest.log" 2>/dev/null |
        awk '{ n += $1 } END { print n + 0 }')
    if [ "$inner" -gt 0 ]; then
        skipped=$((skipped + inner))
        skips="$skips
  $name: $inner inside programs:$(sed -n 's/^\[  SKIPPED \] \([a-z][a-z_0-9]*\)$/ \1/p' "$folder/Testing/Temporary/LastTest.log" | sort -u | tr -d '\n')"
    fi
    echo "-- $1 passed, $2 failed, $(($3 + inner)) skipped, $(($(date +%s) - began)) s" >&3
    [ "$2" -eq 0 ]
}

# The last lines of the whole run; its exit code.
totals() {
    {
        [ -z "$skips" ] || printf '\nSkipped:%s\n' "$skips"
        [ -z "$failures" ] || printf '\nFailed:%s\n' "$failures"
        printf '\nAll steps took %d s.\n' "$(($(date +%s) - started))"
        echo "$passed passed, $failed failed, $skipped skipped"
    } >&3
    [ "$failed" -eq 0 ]
}
