#!/bin/sh
# SPDX-License-Identifier: MIT
# Shapes of answers, where their numbers come from, figures for Prometheus, texts in both languages.
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
exec "${CSM_TEST_PYTHON:-python3}" "$(dirname "$0")/web_answers.py"
