#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the types of the C interface for C#: csharp_types.py FOLDER REASONS.def HEADER...

FOLDER/Structs.cs        blittable twins of the public structs
FOLDER/Handles.cs        a SafeHandle for each opaque object
FOLDER/Enums.cs          enumerations under .NET names
FOLDER/Layout.cs, csharp_layout.h   sizes and offsets as either compiler sees them, for a test to compare
"""
import re
import sys
from pathlib import Path

import list_types

NUMBERS = {
    "int8_t": "sbyte", "uint8_t": "byte", "int32_t": "int", "uint32_t": "uint", "int64_t": "long", "uint64_t": "ulong",
    "size_t": "System.UIntPtr", "ptrdiff_t": "System.IntPtr", "int": "int", "double": "double", "float": "float",
    "csm_time": "long", "csm_reason": "ulong", "char": "byte", "void": "void",
}
FIXED = {"sbyte", "byte", "int", "uint", "long", "ulong", "double", "float"}  # what a fixed buffer may hold
KEYWORDS = {"event", "base", "out", "in", "ref", "params", "object", "string", "fixed", "lock", "checked", "decimal"}
DIMENSIONS = {}
STATUS = {
    "CSM_OK": "Ok", "CSM_EINVAL": "InvalidArgument", "CSM_ENOMEM": "OutOfMemory", "CSM_EIO": "InputOutput", "CSM_EPARSE": "Parse",
    "CSM_ECORRUPT": "Corrupt", "CSM_ENOTFOUND": "NotFound", "CSM_EEXIST": "Exists", "CSM_ELOCKED": "Locked",
    "CSM_ECANCELLED": "Cancelled", "CSM_ELIMITED": "Limited", "CSM_ETRANSIENT": "Transient", "CSM_EPERMANENT": "Permanent",
    "CSM_EAUTH": "Authentication", "CSM_ENOSPACE": "NoSpace", "CSM_EREADONLY": "ReadOnly", "CSM_ECOVERAGE": "Coverage",
    "CSM_EPROVENANCE": "Provenance", "CSM_ENODATA": "NoData", "CSM_EUNSUPPORTED": "Unsupported", "CSM_EDEVICE": "Device",
    "CSM_EINTERNAL": "Internal",
}
# Names that the shortest form would make unclear.
ENUMS = {"csm_status": "Status", "csm_dtype": "ElementType", "csm_isa": "InstructionSet", "csm_result": "PredictionKind",
         "csm_exchange": "ModelFormat", "csm_log_level": "LogLevel"}
HEAD = "// written by csharp_types.py from the public headers\n"


def camel(text):
    return "".join(word[:1].upper() + word[1:].lower() for word in text.split("_"))


def escaped(name):
    return "@" + name if name in KEYWORDS else name


def xml(text):
    text = re.sub(r"\s*\n?\s*\*?\s+", " ", text.strip())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def dimensions(text):
    """Every constant that a header gives an array."""
    for name, value in re.findall(r"#define (CSM_\w+) (\d+)\b", text):
        DIMENSIONS[name] = int(value)


def elements(field):
    size = field["dimension"]
    if size is None:
        return 0
    return int(size) if size.isdigit() else DIMENSIONS[size]


def managed(header, field):
    """C# type of one element of a field."""
    base, pointer = field["type"], field["pointer"]
    if base in header.callbacks or base in header.objects:
        return "System.IntPtr"
    if base in NUMBERS:
        name = NUMBERS[base]
    elif base in header.enums:
        name = "int"
    elif base in header.structs:
        name = base
    else:
        raise SystemExit(f"csharp_types.py: unknown type {base} of {field['name']}")
    return name + ("**" if pointer == "*const *" else "*" if pointer else "")


def structs(header):
    lines = [HEAD + "using System.Runtime.InteropServices;", "#pragma warning disable 169, 649, 1591, 3003", "namespace CryptoSmart.Interop", "{"]
    lines += ["    public static class Limits", "    {"]
    lines += [f"        public const int {name} = {value};" for name, value in DIMENSIONS.items()]
    lines += ["    }", ""]
    for name, fields in header.structs.items():
        lines += ["    [StructLayout(LayoutKind.Sequential)]", f"    public unsafe struct {name}", "    {"]
        for field in fields:
            kind, field_name, count = managed(header, field), escaped(field["name"]), elements(field)
            if not count:
                lines.append(f"        public {kind} {field_name};")
            elif kind in FIXED:
                lines.append(f"        public fixed {kind} {field_name}[{count}];")
            else:
                parts = ", ".join(f"{field['name']}_{i}" for i in range(count))
                lines.append(f"        public {kind} {parts};")
        lines += ["    }", ""]
    return "\n".join(lines + ["}"]) + "\n"


def first_name(header, field):
    kind, count = managed(header, field), elements(field)
    if not count:
        return escaped(field["name"]), ""
    return (escaped(field["name"]), "[0]") if kind in FIXED else (field["name"] + "_0", "")


def layout(header):
    lines = [HEAD + "namespace CryptoSmart.Interop", "{", "    internal static unsafe class Layout", "    {",
             "        internal static readonly string[] Names = {"]
    lines += [f'            "{name}",' for name in header.structs]
    lines += ["        };", "        internal static long[] Managed(int index)", "        {", "            switch (index)", "            {"]
    c_lines = ["/* written by csharp_types.py from the public headers */", "#include <stddef.h>"]
    for index, (name, fields) in enumerate(header.structs.items()):
        lines.append(f"                case {index}: {{ var s = new {name}(); var b = (byte*)&s; return new[] {{ (long)sizeof({name}), "
                     + ", ".join(f"(byte*)&s.{''.join(first_name(header, field))} - b" for field in fields) + " }; }")
        c_lines.append(f"static const size_t csm_layout_{index}[] = {{sizeof({name}), "
                       + ", ".join(f"offsetof({name}, {field['name']})" for field in fields) + "};")
    lines += ["                default: return new long[0];", "            }", "        }", "    }", "}"]
    count = len(header.structs)
    c_lines += ["static int64_t csm_csharp_layout(int index, int field) {", "    static const struct {", "        const size_t *values;",
                "        int count;", f"    }} all[{count}] = {{"]
    c_lines += [f"        {{csm_layout_{i}, (int)(sizeof csm_layout_{i} / sizeof(size_t))}}," for i in range(count)]
    c_lines += ["    };", f"    if (index < 0 || index >= {count} || field < 0 || field >= all[index].count) return -1;",
                "    return (int64_t)all[index].values[field];", "}"]
    return "\n".join(lines) + "\n", "\n".join(c_lines) + "\n"


def handles(header):
    lines = [HEAD + "#pragma warning disable 1591", "namespace CryptoSmart.Interop", "{"]
    for name, free in header.objects.items():
        if free:
            lines += [f"    public sealed unsafe class {name} : Handle", "    {",
                      f"        public {name}() {{ }}",
                      f"        public static {name} Null {{ get {{ return new {name}(); }} }}",
                      "        protected override void Free(System.IntPtr pointer) { "
                      f"NativeMethodsPINVOKE.{name}_release((void*)pointer); }}", "    }", ""]
    lines += ["    internal static class Freed", "    {", "        internal static readonly string[] Functions = {"]
    lines += [f'            "{free}",' for free in header.objects.values() if free]
    return "\n".join(lines + ["        };", "    }", "}"]) + "\n"


def enums(text, reasons):
    lines = [HEAD + "using System;", "namespace CryptoSmart", "{"]
    for name, body in re.findall(r"typedef enum (\w+) \{(.*?)\n?\s*\} \1;", text, flags=re.S):
        if name == "csm_reason_bit":
            continue
        entries = re.findall(r"(CSM_\w+)\s*=\s*(-?\d+)\s*,?\s*(?:/\*(.*?)\*/)?", body, flags=re.S)
        words = [entry[0].split("_") for entry in entries]
        shared = 0
        while all(len(word) > shared + 1 and word[shared] == words[0][shared] for word in words):
            shared += 1
        lines += [f"    /// <summary>{name} of the C interface.</summary>", f"    public enum {ENUMS.get(name, camel(name[4:]))}", "    {"]
        for (entry, value, comment), word in zip(entries, words):
            short = STATUS.get(entry, camel("_".join(word[1:]))) if name == "csm_status" else camel("_".join(word[shared:]))
            lines.append(f"        /// <summary>{xml(comment) or entry}</summary>")
            lines.append(f"        {short} = {value},")
        lines += ["    }", ""]
    lines += ["    /// <summary>Why a coin, row or prediction was left out; 0: nothing stands against it.</summary>", "    [Flags]",
              "    public enum Reasons : ulong", "    {", "        /// <summary>Nothing stands against it.</summary>", "        None = 0,"]
    for bit, name, sentence in re.findall(r'CSM_REASON\(\s*(\d+),\s*(\w+),\s*"(.*?)"\s*\)', reasons, flags=re.S):
        lines.append(f"        /// <summary>{xml(sentence)}</summary>")
        lines.append(f"        {camel(name)} = 1UL << {bit},")
    return "\n".join(lines + ["    }", "}"]) + "\n"


def main():
    folder, reasons, *paths = sys.argv[1:]
    text = "\n".join(Path(path).read_text(encoding="utf-8") for path in paths)
    dimensions(text)
    header = list_types.Header(paths)
    Path(folder).mkdir(parents=True, exist_ok=True)
    managed_layout, native_layout = layout(header)
    for name, content in {
        "Structs.cs": structs(header), "Handles.cs": handles(header), "Layout.cs": managed_layout, "csharp_layout.h": native_layout,
        "Enums.cs": enums(text, Path(reasons).read_text(encoding="utf-8")),
    }.items():
        Path(folder, name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
