# SPDX-License-Identifier: MIT
"""History files into a store. Equal work: parse CSV, write compressed columns, one file a symbol, synced to disk. Ours also checks
every row, keeps exact decimals, hashes, reads back what it wrote, and records provenance."""
import concurrent.futures
import lzma
import os
import shutil
import tempfile
import time

from frame import Case, Program, QUICK, SHARED, Work

THREADS = 2


def prepare():
    from peer_pandas import import_one
    recorded = os.path.join(SHARED, "data", "market", "binance_spot_1h_2021_2023")
    names = sorted(n for n in os.listdir(recorded) if n.endswith(".csv.xz") and not n.startswith("_"))[:4 if QUICK else 48]
    folder = tempfile.mkdtemp(prefix="csm-bench-")
    inputs, outputs = os.path.join(folder, "csv"), os.path.join(folder, "h5")
    os.mkdir(inputs)
    for name in names:
        with lzma.open(os.path.join(recorded, name)) as source, open(os.path.join(inputs, name[:-3]), "wb") as target:
            shutil.copyfileobj(source, target)
    pool = concurrent.futures.ProcessPoolExecutor(THREADS)
    rows = {}

    def peer():
        shutil.rmtree(outputs, ignore_errors=True)
        os.mkdir(outputs)
        jobs = [(os.path.join(inputs, n), os.path.join(outputs, n + ".h5")) for n in sorted(os.listdir(inputs))]
        began = time.perf_counter()
        rows["peer"] = sum(pool.map(import_one, jobs))
        return time.perf_counter() - began

    def close():
        pool.shutdown()
        program.close()
        shutil.rmtree(folder)

    peer()  # starts the workers, which import their modules, before there is a pipe that they could hold open
    program = Program("import_csv", inputs, os.path.join(folder, "store"), str(THREADS))
    return Work(lambda: program.run("ours"), peer, lambda: (program.quality["ours"], rows["peer"]),
                f"{len(names)} files of about 24 k hours, {THREADS} threads; peer: {THREADS} processes, read_csv (C engine), "
                "HDF5 chunks of 8192 with shuffle, lzf (faster than gzip) and checksum, fsync a file", close)


CASES = [Case("import-pandas", "io", "pandas + h5py", 2, prepare, ["pandas", "h5py"])]
