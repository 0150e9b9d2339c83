#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the C# tests in a temporary folder.
set -u
CSM_TEST_FOLDER=$(mktemp -d)
export CSM_TEST_FOLDER
trap 'rm -rf "$CSM_TEST_FOLDER"' EXIT
"$CSM_MONO" --debug "$CSM_BINARY_DIR/csharp/CryptoSmartTests.exe"
