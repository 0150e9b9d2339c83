#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles src/backend/cuda/*.cu and reads what the assembler says of each kernel: registers, spills, stack, shared
memory. Fails when a kernel spills or keeps a stack frame, or when a kernel meant for tensor cores has no matrix
instruction, in PTX and, where cuobjdump is at hand (CUDA's own or the one that torch's triton brings into a virtual
environment of build/), in the machine code. Needs nvcc, not a card. Exit code 77 without nvcc.

cuda_resources.py [ARCHITECTURE...]   (default 90)   results in build/cuda-resources/
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "cuda-resources"
# Kernels whose products must be the tensor cores'. On 7.5 bf16 and tf32 do not exist and trap.
TENSOR = re.compile(r"gemm_tensor|lstm_resident")
# The tensor cores' instructions in machine code: 7.5 to 9.0, wgmma of 9.0, and those of 10.0 on.
MACHINE = re.compile(r"\b(?:HMMA|HGMMA|UTC\w*MMA)\b")


def nvcc():
    return shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")


def cuobjdump():
    found = shutil.which("cuobjdump") or shutil.which("cuobjdump", path=str(pathlib.Path(nvcc()).parent))
    inside = "lib/python*/site-packages/**/bin/cuobjdump"
    return found or next((str(path) for path in sorted(ROOT.glob("build/*venv/" + inside))), None)


def demangle(names):
    tool = shutil.which("c++filt")
    if not tool or not names:
        return dict(zip(names, names))
    text = subprocess.run([tool], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    text = text.replace("(anonymous namespace)::", "")
    return dict(zip(names, text.splitlines()))


def newest_source():
    folders = [ROOT / "src" / "backend", ROOT / "src" / "backend" / "cuda"]
    return max(path.stat().st_mtime for folder in folders for path in folder.glob("*") if path.is_file())


def compile_one(source, arch):
    """ptxas' report of one file for one architecture, and its PTX; kept until a source changes."""
    folder = FOLDER / arch
    folder.mkdir(parents=True, exist_ok=True)
    ptx, report = folder / (source.stem + ".ptx"), folder / (source.stem + ".txt")
    cubin = folder / (source.stem + ".cubin")
    if report.is_file() and cubin.is_file() and report.stat().st_mtime > newest_source():
        return source, arch, report.read_text(), ptx.read_text(), ""
    command = [nvcc(), "-std=c++17", "-O3", "-I", ROOT / "src", "-I", ROOT / "include", f"-arch=compute_{arch}", "-ptx",
               "-o", ptx, source]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        ptxas = pathlib.Path(nvcc()).parent / "ptxas"
        done = subprocess.run([ptxas, "-v", f"-arch=sm_{arch}", "-o", cubin, ptx], capture_output=True, text=True)
    text = done.stdout + done.stderr
    if done.returncode != 0:
        return source, arch, "", "", text
    report.write_text(text)
    return source, arch, text, ptx.read_text(), ""


def kernels(report):
    """name -> (registers, stack, spill stores, spill loads)"""
    found = {}
    name = None
    for line in report.splitlines():
        match = re.search(r"Compiling entry function '(\S+)'", line)
        if match:
            name = match.group(1)
            found[name] = [0, 0, 0, 0]
        match = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line)
        if match and name:
            found[name][1:] = [int(value) for value in match.groups()]
        match = re.search(r"Used (\d+) registers", line)
        if match and name:
            found[name][0] = int(match.group(1))
            name = None
    return found


def bodies(ptx):
    for match in re.finditer(r"\.entry (\S+?)\((.*?)\n}\n", ptx, re.DOTALL):
        yield match.group(1), match.group(2)


def machine_multiplies(source, arch):
    """kernel -> matrix instructions in its machine code; {} where nothing can read it."""
    cubin = FOLDER / arch / (source.stem + ".cubin")
    if not cuobjdump() or not cubin.is_file():
        return {}
    done = subprocess.run([cuobjdump(), "-sass", cubin], capture_output=True, text=True)
    parts = re.split(r"Function : (\S+)", done.stdout)
    return {name: len(MACHINE.findall(body)) for name, body in zip(parts[1::2], parts[2::2])}


def main():
    if not nvcc():
        print("no nvcc: CUDA kernels were not compiled")
        return 77
    archs = sys.argv[1:] or ["90"]
    sources = sorted((ROOT / "src" / "backend" / "cuda").glob("*.cu"))
    problems, count, most, read = [], 0, (0, ""), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compile_one, source, arch) for arch in archs for source in sources]
        for job in jobs:
            source, arch, report, ptx, error = job.result()
            if error:
                problems.append(f"{source.name} for {arch}: {error}")
                continue
            found = kernels(report)
            names = demangle(list(found))
            multiplies = {name: body.count("mma.sync") for name, body in bodies(ptx)}
            machine = machine_multiplies(source, arch) if any(multiplies.values()) else {}
            for name, (registers, stack, stores, loads) in found.items():
                count += 1
                most = max(most, (registers, names[name].split("(")[0]))
                print(f"{arch} {registers:4d} registers {stack:4d} stack {stores:4d}/{loads} spills "
                      f"{multiplies.get(name, 0):4d} matrix instructions  {names[name].split('(')[0]}")
                if stack or stores or loads:
                    problems.append(f"{names[name]} for {arch}: {stack} bytes of stack, {stores} + {loads} bytes spilled")
                has_none = int(arch) < 80 and re.search(r"bf16|tf32", names[name])
                has_none = has_none or (int(arch) < 90 and re.search(r"resident_shape<format_\w+, (256|512)", names[name]))
                if TENSOR.search(name) and not has_none and not multiplies.get(name):
                    problems.append(f"{names[name]} for {arch}: no matrix instruction")
                if TENSOR.search(name) and not has_none and machine:
                    read += 1
                    if not machine.get(name):
                        problems.append(f"{names[name]} for {arch}: no matrix instruction in its machine code")
    for problem in problems:
        print("PROBLEM: " + problem)
    print(f": {count} kernels for {', '.join(archs)}, most registers {most[0]} ({most[1][:90]}), machine code of {read} read, "
          f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
