#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the public headers and lists their types, so that the bindings need no list of their own.

list_types.py LANGUAGE FOLDER HEADER...   writes FOLDER/types.i, and for python FOLDER/python_types.h as well.

types.i calls macros that each language file defines before it is included (empty ones are fine):
  %csm_object(T, FREE)                 opaque object and the function that frees it
  %csm_options(T, INIT)                option struct and the function that writes its defaults
  %csm_struct(T)                       any struct with visible fields, option structs included
  %csm_sequence(T, NAME, COUNT)        parameters `const T *NAME, size_t COUNT`: an array of structs
  %csm_array(T, NAME, COUNT)           parameters `const T *NAME, size_t COUNT`: an array of numbers
The headers are regular (clang-format lays them out), so a few expressions read them; what they cannot read is an error here.
"""
import re
import sys
from pathlib import Path

NUMBERS = {
    "int8_t": "I8", "uint8_t": "U8", "int32_t": "I32", "uint32_t": "U32", "int64_t": "I64", "uint64_t": "U64",
    "size_t": "SIZE", "int": "I32", "double": "F64", "float": "F32", "csm_time": "I64", "csm_reason": "U64",
    "ptrdiff_t": "I64",
}
# How many elements a pointer or array field has, where no rule of its name says so. "" means: not known to the struct.
COUNTS = {
    ("csm_market", "taker_volume"): "taker_tiers", ("csm_market", "taker_percent"): "taker_tiers",
    ("csm_market", "maker_volume"): "maker_tiers", ("csm_market", "maker_percent"): "maker_tiers",
    ("csm_horizon_training", "member"): "members", ("csm_net_reply", "body"): "length",
}
VIEWS = ("csm_matrix", "csm_series")


class Header:
    """Types and functions of all headers."""

    def __init__(self, paths):
        text = "\n".join(Path(path).read_text(encoding="utf-8") for path in paths)
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        self.enums = set(re.findall(r"typedef enum (\w+)", text))
        self.callbacks = set(re.findall(r"typedef [^;{}]*?\(\*(csm_\w+)\)\([^;{}]*?\);", text, flags=re.S))
        self.structs = {}
        for name, body in re.findall(r"typedef struct (csm_\w+) \{(.*?)\n\} \1;", text, flags=re.S):
            self.structs[name] = [self.field(name, part) for part in body.split(";") if part.strip()]
        functions = re.findall(r"CSM_API\s+([^;()]*?)(\w+)\(([^;]*?)\)\s*;", text, flags=re.S)
        self.functions = {name: (" ".join(result.split()), self.parameters(parameters))
                          for result, name, parameters in functions}
        opaque = re.findall(r"typedef struct (csm_\w+)\s+\1;", text)
        self.objects = {name: self.function_on(name, "_free") for name in opaque if name not in self.structs}

    def field(self, struct, text):
        text = re.sub(r" ?\* ?", " *", " ".join(text.split())).replace(" [", "[")
        match = re.fullmatch(r"(const )?(\w+) (\*const \*|\*)?(\w+)(?:\[(\w+)\])?", text)
        if not match:
            raise SystemExit(f"list_types.py: {struct}: cannot read the field '{text}'")
        const, base, pointer, name, dimension = match.groups()
        return {"const": bool(const), "type": base, "pointer": pointer or "", "name": name, "dimension": dimension}

    @staticmethod
    def parameters(text):
        result = []
        for part in " ".join(text.split()).split(","):
            match = re.fullmatch(r"\s*(.*?)(\w+)\s*", part)
            if match and match.group(1):
                result.append((match.group(1).strip(), match.group(2)))
        return result

    def function_on(self, name, ending):
        """The function whose first parameter is a T * and whose name ends so."""
        for function, (_, parameters) in self.functions.items():
            if function.endswith(ending) and parameters and parameters[0][0] == name + " *":
                return function
        return ""

    def tables(self):
        """Structs to describe, each after those it holds. Views have conversions of their own."""
        ordered = []

        def visit(name):
            if name in ordered or name in VIEWS or name not in self.structs:
                return
            for field in self.structs[name]:
                visit(field["type"])
            ordered.append(name)

        for name in self.structs:
            visit(name)
        return ordered

    def options(self):
        for name in self.structs:
            init = self.function_on(name, "_init")
            if init:
                yield name, init

    def sequences(self):
        """(type, name, count) of neighbours `const T *name, size_t count`."""
        found = set()
        for _, parameters in self.functions.values():
            for (kind, name), (next_kind, count) in zip(parameters, parameters[1:]):
                match = re.fullmatch(r"const (\w+) \*", kind)
                if match and next_kind == "size_t" and count + "s" != name:  # not an index into it
                    found.add((match.group(1), name, count))
        return sorted(found)


def swig(header):
    lines = ["/* written by list_types.py from the public headers */"]
    lines += [f"%csm_struct({name})" for name in header.tables()]
    lines += [f"%csm_options({name}, {init})" for name, init in header.options()]
    lines += [f"%csm_object({name}, {free})" for name, free in header.objects.items() if free]
    for base, name, count in header.sequences():
        if base in header.structs and base not in VIEWS:
            lines.append(f"%csm_sequence({base}, {name}, {count})")
        elif base in NUMBERS:
            lines.append(f"%csm_array({base}, {name}, {count})")
    return "\n".join(lines) + "\n"


def count_of(header, struct, field):
    fields = {other["name"]: other for other in header.structs[struct]}
    name = field["name"]
    if (struct, name) in COUNTS:
        return COUNTS[struct, name]
    for candidate in (re.sub(r"s$", "", name) + "_count", name + "_count", name + "_length"):
        if candidate in fields:
            return candidate
    if field["pointer"] and "length" in fields and field["type"] in NUMBERS:
        return "length"
    return ""


def row(header, struct, field):
    """One line of a struct's table: name, offset, kind, elements, nested table, offset and size of the count."""
    base, name, pointer = field["type"], field["name"], field["pointer"]
    count = count_of(header, struct, field)
    nested, element, elements = "NULL", NUMBERS.get(base, "NONE"), "0"
    if base in header.callbacks:
        kind = "CALLBACK"
    elif base == "void":
        kind = "ADDRESS"
    elif base == "char" and field["dimension"] and not pointer:
        kind, elements = "CHARS", f"sizeof((({struct} *)0)->{name})"
    elif base == "char" and pointer == "*":
        kind = "STRINGS_FIXED" if field["dimension"] else "BYTES" if count else "STRING"
        elements = f"sizeof((({struct} *)0)->{name}) / sizeof(char *)" if field["dimension"] else "0"
    elif base == "char":
        kind = "STRINGS"
    elif base == "csm_matrix":
        kind = "MATRIX_POINTER" if pointer else "MATRIX"
    elif base == "csm_indicator":
        kind = "INDICATOR"
    elif base in header.structs:
        nested = f"&table_{base}"
        kind = ("STRUCTS" if count else "STRUCT_POINTER") if pointer else "STRUCTS_FIXED" if field["dimension"] else "STRUCT"
        if field["dimension"]:
            elements = f"sizeof((({struct} *)0)->{name}) / sizeof({base})"
    elif base in header.objects:
        kind, nested = "OBJECT", f"&kind_{base}"
    elif base in NUMBERS or base in header.enums:
        element = NUMBERS.get(base, "I32")
        kind = "ARRAY" if pointer else "ARRAY_FIXED" if field["dimension"] else "NUMBER"
        if field["dimension"]:
            elements = f"sizeof((({struct} *)0)->{name}) / sizeof({base})"
    else:
        raise SystemExit(f"list_types.py: {struct}.{name}: unknown type {base}")
    where = f"(ptrdiff_t)offsetof({struct}, {count}), sizeof((({struct} *)0)->{count})" if count else "-1, 0"
    return (f'    {{"{name}", offsetof({struct}, {name}), CSM_PY_{kind}, CSM_PY_{element}, {elements}, '
            f"{nested}, {where}}},")


def python(header):
    lines = ["/* written by list_types.py from the public headers */"]
    for name, free in header.objects.items():
        if free:
            lines.append(f"static void destroy_{name}(void *object) {{ {free}(object); }}")
            lines.append(f'static const csm_py_kind kind_{name} = {{"{name}", destroy_{name}}};')
    inits = dict(header.options())
    tables = header.tables()
    for name in tables:
        fields = header.structs[name]
        lines.append(f"static const csm_py_field fields_{name}[] = {{")
        lines += [row(header, name, field) for field in fields if field["name"] not in ("size", "reserved")]
        lines.append("};")
        init = "NULL"
        if name in inits:
            extra = len(header.functions[inits[name]][1]) - 1
            lines.append(f"static void init_{name}(void *options) {{ {inits[name]}(options{', 0' * extra}); }}")
            init = f"init_{name}"
        lines.append(f'static const csm_py_table table_{name} = {{"{name}", sizeof({name}), fields_{name}, '
                     f"sizeof(fields_{name}) / sizeof(fields_{name}[0]), {init}}};")
    lines.append("static const csm_py_table *const csm_py_tables[] = {")
    lines += [f"    &table_{name}," for name in tables]
    lines += ["};", f"static PyTypeObject *csm_py_records[{len(tables)}];"]
    return "\n".join(lines) + "\n"


def main():
    language, folder, *paths = sys.argv[1:]
    header = Header(paths)
    Path(folder).mkdir(parents=True, exist_ok=True)
    written = {"types.i": swig(header)}
    if language == "python":
        written["python_types.h"] = python(header)
    for name, text in written.items():
        Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
