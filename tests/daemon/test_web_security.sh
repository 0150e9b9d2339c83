#!/bin/sh
# SPDX-License-Identifier: MIT
# Roles, sessions, forged and hostile requests against the web server.
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
exec python3 "$(dirname "$0")/web_security.py"
