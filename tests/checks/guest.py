#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Law 9, a guest in its host: the library neither prints nor ends the process, sets no global of a library it shares
with its host, and keeps no mutable global state of its own.

guest.py FOLDER   looks at every object file of the library under FOLDER (a build folder)
"""
import pathlib
import re
import subprocess
import sys

FORBIDDEN = {
    "prints": "printf vprintf puts putchar perror psignal stdout stderr stdin __printf_chk __vprintf_chk err errx warn "
              "warnx verr verrx vwarn vwarnx syslog error",
    "ends the process": "exit _exit _Exit quick_exit abort raise __assert_fail __assert __builtin_trap",
    "changes its host's signals": "signal sigaction sigprocmask pthread_sigmask alarm setitimer",
    "changes its host's globals": "setlocale uselocale srand srandom srand48 setenv putenv unsetenv chdir fchdir umask "
                                  "setrlimit openblas_set_num_threads omp_set_num_threads H5Eset_auto1 H5Eset_auto2 "
                                  "H5dont_atexit sqlite3_config sqlite3_initialize sqlite3_shutdown "
                                  "sqlite3_soft_heap_limit64 json_set_alloc_funcs json_set_alloc_funcs2 "
                                  "json_object_seed curl_global_init curl_global_init_mem curl_global_cleanup tzset "
                                  "feenableexcept fesetround fesetenv system popen atexit",
    "is not thread-safe": "strtok localtime gmtime ctime asctime rand random strerror getpwnam getpwuid readdir_r "
                          "tmpnam tempnam mktemp gets",
}
# (SOURCE, SYMBOL): why it may stand all the same.
JUSTIFIED = {
    ("src/core/platform_posix.c", "pthread_sigmask"): "a worker thread starts with every signal blocked, so that the "
                                                      "host's handlers run on the host's threads; put back at once",
    ("src/net/net.c", "curl_global_init"): "libcurl counts the users of its global state; this takes one reference, so that "
                                           "it is there for us whenever its host cleans up, and gives none back, so that "
                                           "it is there for the host (docs/net.md)",
    ("src/store/hdf5.c", "H5Eset_auto2"): "the host's error stack is saved on entry and put back on leaving, under the "
                                          "one HDF5 lock; otherwise HDF5 would print",
}
# Mutable objects with a reason, by name. None of these may change a result.
STATE = {
    "hdf5_lock": "HDF5 is not thread-safe: one lock for the process (DESIGN, the C API), made once, never destroyed",
}


def objects(folder):
    # nvcc adds start-up code of its own to the host side of .cu files; what it does is the CUDA runtime's affair
    paths = sorted(path for path in pathlib.Path(folder).rglob("csm_objects.dir/**/*.o") if ".cu." not in path.name)
    if not paths:
        sys.exit(f"no object file of the library under {folder}")
    return paths


def undefined(path):
    listing = subprocess.run(["nm", "-u", "--format=just-symbols", path], check=True, capture_output=True, text=True)
    return {line.split("@")[0].strip() for line in listing.stdout.splitlines() if line.strip()}


def mutable(path):
    """Objects in writable sections, thread-local ones and those that only relocation writes (.data.rel.ro) excepted."""
    listing = subprocess.run(["objdump", "-t", path], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        match = re.match(r"^[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+\s+(?:\.hidden )?(\S+)$", line)
        if match and "O" in match.group(1) and re.match(r"\.(data|bss)", match.group(2)):
            if not match.group(2).startswith(".data.rel.ro"):
                yield match.group(3)


def main():
    problems = []
    wrong = {name: why for why, names in FORBIDDEN.items() for name in names.split()}
    paths = objects(sys.argv[1])
    for path in paths:
        source = str(path).split("csm_objects.dir/")[1][:-2]
        for name in sorted(undefined(path) & wrong.keys()):
            if (source, name) in JUSTIFIED:
                continue
            problems.append(f"{source}: calls {name}, which {wrong[name]}")
        for name in mutable(path):
            if re.sub(r"\.\d+$", "", name) not in STATE:
                problems.append(f"{source}: {name} is mutable global state")
    for problem in problems:
        print(problem)
    print(f": {len(paths)} object files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
