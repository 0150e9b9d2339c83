# SPDX-License-Identifier: MIT
"""Recorded hourly candles of up to 224 coins into storage and back: appends of exact decimals with provenance, checks and
hashes in groups of 32 series, csm_store_read_bars to doubles one series after the other, 2 threads; h5py, one file a coin, float64.

Storage is in memory (/dev/shm) where there is room: ours syncs file, folder and log of every append, which a disk
would time and HDF5 does not do at all. Before the rounds h5py's filters (gzip, lzf, and Blosc-lz4 of hdf5plugin with 2 threads)
are swept; the fastest is the peer, all are printed."""
import glob
import lzma
import os
import shutil
import tempfile
import time

from frame import BUILD, QUICK, Case, Program, Work

COINS = 12 if QUICK else 224
NAMES = ("time", "open", "high", "low", "close", "volume")


def storage():
    memory = "/dev/shm"
    roomy = os.path.isdir(memory) and shutil.disk_usage(memory).free > 2 << 30
    return tempfile.mkdtemp(prefix="csm-bench-", dir=memory if roomy else BUILD), roomy


def candle_files(folder):
    """The recorded candles as plain CSV files: last candle dropped, it may be unfinished."""
    import candles

    sources = sorted(p for p in glob.glob(os.path.join(candles.RECORDED, "*.csv.xz")) if not p.endswith("_coverage.csv"))
    sources = sources or sorted(glob.glob(os.path.join(candles.BUNDLED, "**", "*.csv*"), recursive=True))
    paths = []
    for source in sources[:COINS]:
        with (lzma.open if source.endswith(".xz") else open)(source, "rb") as file:
            lines = file.read().splitlines(keepends=True)[:-1]
        paths.append(os.path.join(folder, os.path.basename(source).split(".")[0]))
        with open(paths[-1], "wb") as file:
            file.writelines(lines)
    return paths


class Peer:
    def __init__(self, folder, tables):
        self.folder, self.tables, self.turn, self.options = folder, tables, 0, {}
        self.closes = 0.0  # sum of last closes, as ours answers: both read the same

    def path(self, name):
        return os.path.join(self.folder, f"peer-{self.turn}", name + ".h5")

    def write(self):
        import h5py

        shutil.rmtree(os.path.join(self.folder, f"peer-{self.turn}"), ignore_errors=True)
        self.turn += 1
        os.mkdir(os.path.join(self.folder, f"peer-{self.turn}"))
        for name, columns in self.tables.items():
            with h5py.File(self.path(name), "w", libver="latest") as file:
                for key, column in zip(NAMES, columns):
                    file.create_dataset(key, data=column, chunks=(min(16384, len(column)),), **self.options)
                file.flush()
            with open(self.path(name), "rb") as file:
                os.fsync(file.fileno())

    def read(self):
        import h5py

        total = 0.0
        for name in self.tables:
            with h5py.File(self.path(name), "r") as file:
                columns = [file[key][:] for key in NAMES]
            total += columns[4][-1]
        self.closes = total

    def size(self):
        return sum(os.path.getsize(self.path(name)) for name in self.tables)


def seconds(action):
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def sweep(peer, reading):
    """Leaves the peer with its fastest filter; returns what to print."""
    import hdf5plugin

    filters = {"gzip1+shuffle": {"compression": "gzip", "compression_opts": 1, "shuffle": True},
               "gzip4+shuffle": {"compression": "gzip", "compression_opts": 4, "shuffle": True},
               "lzf+shuffle": {"compression": "lzf", "shuffle": True}}
    for level in (1, 5, 9):
        filters[f"Blosc-lz4 level {level}"] = dict(hdf5plugin.Blosc(cname="lz4", clevel=level, shuffle=1))
    lines, times = [], {}
    for name, options in filters.items():
        peer.options = options
        wrote = min(seconds(peer.write) for _ in range(2))
        read = min(seconds(peer.read) for _ in range(2))
        times[name] = read if reading else wrote
        lines.append(f"{name} write {wrote:.3g} s read {read:.3g} s {peer.size() / 1e6:.1f} MB")
    best = min(times, key=times.get)
    peer.options = filters[best]
    return f"peer uses {best}; sweep: " + ", ".join(lines)


def prepare(reading):
    os.environ.setdefault("BLOSC_NTHREADS", "2")
    import numpy as np

    folder, in_memory = storage()
    paths = candle_files(folder)
    tables = {}
    for path in paths:
        columns = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(6)).T
        tables[os.path.basename(path)] = [columns[0].astype(np.int64) * 10**9] + [c.copy() for c in columns[1:]]
    megabytes = sum(c.nbytes for t in tables.values() for c in t) / 1e6
    program = Program("store", folder, *paths)
    peer = Peer(folder, tables)
    note = sweep(peer, reading)
    peer.write()
    program.run("write")
    program.run("read")
    peer.read()
    if abs(program.quality["read"] - peer.closes) > 1e-9 * peer.closes:
        raise RuntimeError(f"ours reads closes of {program.quality['read']}, h5py {peer.closes}")
    command = "read" if reading else "write"

    def close():
        program.close()
        shutil.rmtree(folder, ignore_errors=True)

    work = Work(lambda: program.run(command), peer.read if reading else peer.write,
                lambda: (program.quality["write"], peer.size()),
                f"{len(tables)} coins, {megabytes:.0f} MB as float64, quality is bytes stored, 2 threads of ours, "
                f"{'in memory' if in_memory else 'on disk'}; {note}", close)
    work.peak_mb = program.peak_mb
    return work


CASES = [Case("store-write-h5py", "io", "h5py", 2, lambda: prepare(False), ["h5py", "hdf5plugin"]),
         Case("store-read-h5py", "io", "h5py", 2, lambda: prepare(True), ["h5py", "hdf5plugin"])]
