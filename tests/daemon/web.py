# SPDX-License-Identifier: MIT
"""What the tests of the dashboard share: workspaces in each state, users, a client that keeps cookies as a browser does."""
import errno
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile

BINARY = pathlib.Path(os.environ["CSM_BINARY_DIR"])
SOURCE = pathlib.Path(os.environ["CSM_SOURCE_DIR"])
WEB = SOURCE / "examples" / "daemon" / "web"
PROGRAM = BINARY / "cryptosmart"
DAEMON = BINARY / "cryptosmartd"
ALONE = BINARY / "tests" / "web_alone"
PLANT = BINARY / "tests" / "web_plant"
NOW = "2023-12-30T20:30:00Z"  # just behind the newest bar of the bundled sample
ROLES = ("viewer", "operator", "admin")
SMALL = """\
train: {horizons: [1h, 24h, 7d, 30d], steps: [1d, 1d, 1d, 1d], spans: [0s, 0s, 0s, 0s], windows: [0s, 0s, 0s, 0s],
        first: [270d, 270d, 270d, 270d], bootstrap: 20, members: [trees]}
gbt: {rounds: 6, leaves: 5}
learn: {retrain: 0s}
"""


def password_of(user):
    return f"correct horse of {user}"


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("CRYPTOSMART")}


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, env=environment(), **options)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout[-600:]}{done.stderr[-600:]}"
    return done.stdout


class Workspace:
    """A temporary workspace. state: first (nothing, no user), bare (users alone), empty (nothing passes the gate), filled (planted)."""

    def __init__(self, state):
        self.folder = tempfile.TemporaryDirectory(prefix="csm-web-")
        self.root = pathlib.Path(self.folder.name)
        self.path = self.root / "workspace"
        self.config = self.root / "small.yaml"
        self.config.write_text(SMALL)
        self.server = None
        self.port = None
        run(DAEMON, "--workspace", self.path, "user", "list")  # makes daemon.db
        self.program("adopt", SOURCE / "examples" / "data") if state in ("empty", "filled") else run(PROGRAM, "--workspace", self.path, "adopt", self.nothing())
        if state in ("empty", "filled"):
            self.program("train", "--as-of", "2023-11-20T00:00:00Z")
            self.program("predict", "--as-of", "2023-11-21T00:00:00Z", "--backfill")
            self.program("learn")
            self.program("predict", "--as-of", "2023-12-30T00:00:00Z", "--backfill")
        if state == "filled":
            run(PLANT, self.path, "2023-12-30T06:00:00Z")
        if state != "first":
            for role in ROLES:
                self.user("add", role, role, typed=password_of(role))

    def nothing(self):
        """A folder to adopt that holds nothing but an empty manifest: makes an empty workspace."""
        folder = self.root / "nothing"
        (folder / "segments").mkdir(parents=True)
        (folder / "listings").mkdir()
        (folder / "segments" / "manifest.json").write_text('{"format": "cryptosmart manifest", "segments": [], "version": 1}')
        (folder / "listings" / "2021.csv").write_text("# as of 2021-01-01\nvenue,symbol,coin,quote,status,reason\ntest,AAA/USD,AAA,USD,online,\n")
        return folder

    def program(self, *words):
        return run(PROGRAM, "-c", self.config, "--workspace", self.path, "--json", *words)

    def user(self, *words, typed=""):
        return run(DAEMON, "--workspace", self.path, "user", *words, input=typed + "\n")

    def database(self, sql, *values, name="daemon.db"):
        with sqlite3.connect(self.path / name, timeout=30) as connection:
            return connection.execute(sql, values).fetchall()

    def plant_work(self):
        """Jobs and an alert, as the scheduler would leave them."""
        at = 1703890000 * 10**9
        self.database("INSERT INTO jobs(name, next_due, last_success) VALUES('learn', ?, ?)", at + 10**12, at)
        self.database("INSERT INTO job_runs(job, cause, who, state, attempt, priority, queued, not_before, started, ended, text)"
                      " VALUES('learn', 'schedule', '', 'running', 1, 30, ?, 0, ?, NULL, '')", at, at)
        self.database("INSERT INTO job_log(run, line, time, level, module, text) VALUES(1, 1, ?, 'info', 'learn', 'a line of the log')", at)
        self.database("INSERT INTO alerts(rule, severity, text, value, raised) VALUES('missing coins', 'error', 'two coins have no bars', 2, ?)", at)

    def start(self, now=NOW):
        self.server = subprocess.Popen([ALONE, self.path, now], stdout=subprocess.PIPE, text=True, env=environment())
        line = self.server.stdout.readline()
        assert line, "web_alone did not start"
        self.port = int(line)
        client = Client(self.port)
        while client.get("/readyz").status != 200:
            assert self.server.poll() is None
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.terminate()
            assert self.server.wait() == 0, f"web_alone ended with {self.server.returncode}"
            self.server.stdout.close()
        self.folder.cleanup()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """One browser: cookies, a token against forged requests, an origin."""

    def __init__(self, port, role=None, token=None):
        self.port = port
        self.cookie = None
        self.csrf = None
        self.token = token
        if role:
            answer = self.post("/api/v1/login", {"user": role, "password": password_of(role)})
            assert answer.status == 200, answer

    def ask(self, method, path, body=None, headers=None, raw=None):
        sent = {"Host": f"127.0.0.1:{self.port}"}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if self.csrf and method not in ("GET", "HEAD"):
            sent |= {"X-CSRF-Token": self.csrf, "Origin": f"http://127.0.0.1:{self.port}"}
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        if body is not None:
            raw = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        sent = {name: value for name, value in sent.items() if value is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request(method, path, body=raw, headers=sent)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        cookie = answer.headers.get("Set-Cookie")
        if cookie:
            self.cookie = cookie.split(";")[0]
        if path == "/api/v1/login" and answer.status == 200:
            self.csrf = answer.json()["csrf"]
        return answer

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.ask("POST", path, body, **options)


def table(name, macro):
    """Rows of a .def file as tuples of their arguments' texts."""
    text = re.sub(r"/\*.*?\*/", "", (WEB / name).read_text(), flags=re.S)
    rows = re.findall(rf'^{macro}\((.*)\)$', text, re.M)
    return [tuple(part.strip().strip('"') for part in re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', row)) for row in rows]


def raw_bytes(port, data, read=4096):
    """What a server answers to bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        found = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(read):
                found += part
        except ConnectionError:
            pass
        except OSError as error:  # not connected any more
            assert error.errno == errno.ENOTCONN, error
        return found


class Checks:
    """Counts what holds; the names of what does not are the report."""

    def __init__(self):
        self.held = 0
        self.failed = []

    def __call__(self, good, what):
        if good:
            self.held += 1
        else:
            self.failed.append(what)
            print("FAILED:", what)

    def end(self):
        print(f"{self.held} checks hold, {len(self.failed)} fail")
        sys.exit(1 if self.failed else 0)


def built():
    for path in (PROGRAM, DAEMON, ALONE, PLANT):
        if not path.exists():
            print(f"skipped: {path.name} is not built")
            sys.exit(77)
    if shutil.disk_usage(tempfile.gettempdir()).free < 200 << 20:
        print("skipped: under 200 MB are free for temporary files")
        sys.exit(77)
