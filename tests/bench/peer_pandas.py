# SPDX-License-Identifier: MIT
"""The peer of import-pandas, in a module of its own so that worker processes can load it."""
import os

import h5py
import pandas


def import_one(job):
    source, target = job
    frame = pandas.read_csv(source, engine="c")
    with h5py.File(target, "w") as file:
        for name in frame.columns:
            file.create_dataset(name, data=frame[name].to_numpy(), chunks=(min(len(frame), 8192),), shuffle=True,
                                compression="lzf", fletcher32=True)
        file.flush()
    handle = os.open(target, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return len(frame)
