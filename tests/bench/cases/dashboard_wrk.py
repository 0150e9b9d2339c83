# SPDX-License-Identifier: MIT
"""200 clients that ask for the dashboard's table over and over, without a pause, from the same two processors that serve them: the 99th
percentile of their waits against the 50 ms that a reader may notice. Quality: requests a second."""
import os
import re
import shutil
import subprocess
import sys

from frame import QUICK, ROOT, Case, Work

BUILD = os.path.join(ROOT, "build", "bench-daemon")
CLIENTS = 200
LIMIT = 0.050


def prepare():
    if not shutil.which("wrk"):
        sys.exit("bench: the dashboard's case needs wrk (Debian package wrk)")
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCSM_CUDA=OFF"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "cryptosmart-cli", "cryptosmart-daemon", "web_alone", "web_plant"], check=True, stdout=subprocess.DEVNULL)
    os.environ |= {"CSM_BINARY_DIR": BUILD, "CSM_SOURCE_DIR": ROOT}
    sys.path.insert(0, os.path.join(ROOT, "tests", "daemon"))
    import web

    place = web.Workspace("filled").start()
    client = web.Client(place.port, "viewer")
    rates = []

    def ours():
        done = subprocess.run(["wrk", "-t2", f"-c{CLIENTS}", "-d1s" if QUICK else "-d6s", "--latency", "-H", "Cookie: " + client.cookie,
                               f"http://127.0.0.1:{place.port}/api/v1/ranking"], check=True, capture_output=True, text=True)
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            raise RuntimeError(done.stdout)
        rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]))
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", done.stdout).groups()
        return float(value) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit]

    return Work(ours, lambda: LIMIT, lambda: (max(rates), 0.0), f"{CLIENTS} connections, wrk on the same processors, 8 coins in the table", lambda: place.__exit__())


CASES = [Case("dashboard-p99", "dashboard", "50 ms", 1, prepare)]
