# SPDX-License-Identifier: MIT
"""Backups by the daemon's jobs: finished or not there, the newest kept, drilled, and a damaged one told."""
import json
import os
import subprocess
import sys

from daemon import BINARY, SOURCE, Place


def job(place, name, now, code=0):
    done = place.call("--test-now", now, "job", name)
    assert done.returncode == code, (name, done.returncode, done.stderr)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {k: v for line in said for k, v in line.items() if k == "result"}.get("result"), {f["fact"]: f["value"] for f in said if "fact" in f}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


if __name__ == "__main__":
    with Place(prefix="csm-backup-") as place:
        folder = place.root / "backups"
        place.own.write_text(f"daemon: {{backup_folder: '{folder}', backup_keep: 2}}\n")
        subprocess.run([BINARY / "cryptosmart", "--workspace", place.workspace, "adopt", SOURCE / "examples" / "data"], check=True,
                       capture_output=True)
        folder.mkdir()
        job(place, "drill", "2024-01-01T00:00:00Z", code=3)  # no backup yet
        (folder / "backup-20200101T000000Z.part" / "workspace").mkdir(parents=True)  # what a kill left
        (folder / "mine").mkdir()  # nobody else's folder is touched
        for day in (1, 2, 3):
            result, _ = job(place, "backup", f"2024-01-0{day}T00:00:00Z")
            assert result["backup"] == str(folder / f"backup-2024010{day}T000000Z"), result
        job(place, "backup", "2024-01-03T00:00:00Z")  # the same once more: done already
        assert names(folder) == ["backup-20240102T000000Z", "backup-20240103T000000Z", "mine"], names(folder)
        assert (folder / "backup-20240103T000000Z").stat().st_mode & 0o077 == 0, "a backup holds password hashes"
        result, facts = job(place, "drill", "2024-01-03T01:00:00Z")
        assert facts["backup.faults"] == 0 and names(folder)[-1] == "mine", (facts, names(folder))
        victim = max((folder / "backup-20240103T000000Z").rglob("*.h5"), key=lambda path: path.stat().st_size)
        data = bytearray(victim.read_bytes())
        os.unlink(victim)  # a hard link: the workspace's own file must not be changed
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
        _, facts = job(place, "drill", "2024-01-03T02:00:00Z", code=7)
        assert facts["backup.faults"] == 1 and "drill" not in names(folder), (facts, names(folder))
        status = subprocess.run([BINARY / "cryptosmart", "--workspace", place.workspace, "doctor"], capture_output=True, text=True)
        assert status.returncode == 0, status.stdout
    print("backups are whole, kept in number, drilled, and a damaged one is told")
    sys.exit(0)
