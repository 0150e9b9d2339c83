# SPDX-License-Identifier: MIT
"""What the daemon's tests share: a recorded exchange, a workspace, the daemon as a child."""
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

BINARY = pathlib.Path(os.environ["CSM_BINARY_DIR"])
SOURCE = pathlib.Path(os.environ["CSM_SOURCE_DIR"])
DAEMON = BINARY / "cryptosmartd"
sys.path.insert(0, str(SOURCE / "tests" / "replay"))
NS = 10**9


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def text_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(nanoseconds):
    return datetime.fromtimestamp(nanoseconds / NS, timezone.utc)


class Place:
    """A temporary folder with a configuration and a workspace; a context manager that leaves no process behind."""

    def __init__(self, config="", prefix="csm-daemon-"):
        self.folder = tempfile.TemporaryDirectory(prefix=prefix)
        self.root = pathlib.Path(self.folder.name)
        self.workspace = self.root / "workspace"
        self.config = self.root / "config.yaml"
        self.config.write_text(config)
        self.own = self.root / "daemon.yaml"  # options that only the daemon knows
        self.log = self.root / "daemon.log"
        self.child = None
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("CRYPTOSMART")}
        self.environment["CRYPTOSMART__DAEMON__PORT"] = "0"  # any free one: daemons of several tests run at once

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.folder.cleanup()

    def command(self, *words):
        files = [word for file in (self.config, self.own) if file.exists() for word in ("-c", file)]
        return [DAEMON, *files, "--workspace", self.workspace, *words]

    def call(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, check=False, env=self.environment)

    def start(self, *words):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(self.command(*words), stdout=log, stderr=log, env=self.environment)
        return self.child

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait()

    def kill(self):
        self.child.kill()
        self.child.wait()

    def query(self, sql, *values, name="daemon.db"):
        """Rows; none while the file or table is not there yet."""
        try:
            with sqlite3.connect(f"file:{self.workspace}/{name}?mode=ro", uri=True, timeout=30) as catalog:
                return catalog.execute(sql, values).fetchall()
        except sqlite3.OperationalError:
            return []

    def value(self, sql, *values, name="daemon.db"):
        rows = self.query(sql, *values, name=name)
        return rows[0][0] if rows else None

    def lines(self):
        """The daemon's log as objects; each line must be one."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def wait(self, condition, what):
        """Waits until condition() is true; fails when the daemon ends before."""
        while True:
            value = condition()
            if value:
                return value
            assert self.child.poll() is None, f"the daemon ended with {self.child.returncode} while waiting for {what}: {self.tail()}"
            time.sleep(0.05)

    def tail(self):
        return "\n".join(self.log.read_text().splitlines()[-15:]) if self.log.exists() else ""
