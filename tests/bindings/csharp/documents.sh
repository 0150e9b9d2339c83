#!/bin/sh
# SPDX-License-Identifier: MIT
# The C# code of the documents compiles.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for document in docs/csharp.md bindings/csharp/README.md; do
    sed -n '/^```csharp$/,/^```$/p' "$CSM_SOURCE_DIR/$document" | sed '/^```/d' >"$work/code"
    [ -s "$work/code" ] || { echo "$document holds no C#"; exit 1; }
    {
        printf 'using System;\nusing System.Threading.Tasks;\nusing CryptoSmart;\nstatic class Document {\nstatic void Main() { Run().Wait(); }\nstatic async Task Run() { await Task.FromResult(0);\n'
        grep -v '^using [A-Za-z.]*;$' "$work/code"
        printf '} }\n'
    } >"$work/Document.cs"
    "$CSM_MCS" -langversion:7.2 -warnaserror -r:"$CSM_BINARY_DIR/csharp/CryptoSmart.dll" -out:"$work/document.exe" "$work/Document.cs"
done
