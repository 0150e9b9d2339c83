# SPDX-License-Identifier: MIT
"""The daemon as a service: what it tells systemd, signals, a second daemon, limits, kills, and faults of the configuration."""
import os
import pathlib
import signal
import socket
import sys

from daemon import Place


def silent_exchange():
    """Takes connections and never answers."""
    return socket.create_server(("127.0.0.1", 0), backlog=100)


def config_of(server, more=""):
    return f'kraken: {{url: "http://127.0.0.1:{server.getsockname()[1]}/0"}}\ningest: {{sources: [kraken.ticker]}}\n{more}'


def children_of(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def said(place, text):
    return any(text in line["text"] for line in place.lines())


def systemd_is_told_ready_alive_and_stopping():
    with silent_exchange() as server, Place(config_of(server)) as place:
        path = str(place.root / "notify")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(path)
        place.environment.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
        place.start()
        seen = []
        while seen.count("WATCHDOG=1") < 3:
            seen.append(listener.recv(200).decode())
        assert seen[0] == "READY=1", seen
        assert place.stop() == 0
        while seen[-1] != "STOPPING=1":
            seen.append(listener.recv(200).decode())


def a_reload_takes_a_whole_configuration_and_refuses_a_faulty_one():
    with silent_exchange() as server, Place(config_of(server)) as place:
        place.own.write_text("daemon: {retrain_every: 7d}\n")
        place.start()
        place.wait(lambda: said(place, "serves"), "the start")
        place.own.write_text("daemon: {retrain_every: 7 days, prot: 1}\n")
        place.child.send_signal(signal.SIGHUP)
        place.wait(lambda: said(place, "stays as it was"), "the refusal")
        assert said(place, "unknown option 'daemon.prot'")
        place.own.write_text("daemon: {retrain_every: 0s}\n")
        place.child.send_signal(signal.SIGHUP)
        place.wait(lambda: said(place, "configuration read again"), "the reload")
        place.wait(lambda: place.value("SELECT next_due FROM jobs WHERE name='retrain'") == 2**63 - 1, "the schedule without retraining")
        assert place.stop() == 0


def jobs_have_the_configuration_in_force_whatever_stands_in_the_files():
    with Place('kraken: {url: "http://127.0.0.1:9/0"}\ningest: {sources: [kraken.ticker]}\n') as place:
        place.own.write_text("daemon: {retry_first: 1s, retry_last: 1s, retries: 3}\n")
        place.environment["CRYPTOSMART__NET__TIMEOUT"] = "7s"
        place.start()
        place.wait(lambda: place.value("SELECT count(*) FROM job_runs WHERE job='discover' AND state='failed'"), "a failure")
        place.config.write_text("kraken: {url: [}\n")
        place.wait(lambda: place.value("SELECT count(*) FROM job_runs WHERE job='discover' AND state='failed'") == 4, "three retries")
        assert place.query("SELECT DISTINCT code FROM job_runs WHERE job='discover' AND state='failed'") == [(6,)]
        assert place.stop() == 0


def one_daemon_serves_a_workspace():
    with silent_exchange() as server, Place(config_of(server)) as place:
        place.start()
        place.wait(lambda: said(place, "serves"), "the start")
        second = place.call()
        assert second.returncode == 5 and "another daemon serves" in second.stderr, second.stderr
        assert place.stop() == 0


def a_clean_stop_ends_running_jobs_which_go_on_at_the_next_start():
    with silent_exchange() as server, Place(config_of(server)) as place:
        place.start()
        place.wait(lambda: place.value("SELECT count(*) FROM job_runs WHERE job='discover' AND state='running'"), "discovery")
        pids = children_of(place.child.pid)
        assert pids and place.stop() == 0
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
        assert place.value("SELECT state FROM job_runs WHERE job='discover' ORDER BY id LIMIT 1") == "interrupted"
        assert place.value("SELECT count(*) FROM job_runs WHERE job='discover' AND state='queued' AND cause='restart'") == 1


def jobs_die_with_a_daemon_that_is_killed():
    with silent_exchange() as server, Place(config_of(server)) as place:
        place.start()
        place.wait(lambda: place.value("SELECT count(*) FROM job_runs WHERE job='discover' AND state='running' AND pid>0"), "discovery")
        pids = children_of(place.child.pid)
        assert pids
        place.kill()
        while any(os.path.exists(f"/proc/{pid}") and "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text() for pid in pids):
            pass
        place.start()
        place.wait(lambda: said(place, "interrupted by the last end"), "recovery")
        assert place.stop() == 0


def a_job_that_takes_too_long_is_ended():
    with silent_exchange() as server, Place(config_of(server)) as place:
        place.own.write_text("daemon: {wall_light: 1s, retries: 0}\n")
        place.start()
        place.wait(lambda: place.value("SELECT count(*) FROM job_runs WHERE job='discover' AND state='timeout'"), "the limit")
        assert place.stop() == 0


def a_job_that_wants_too_much_memory_fails_by_itself():
    with silent_exchange() as server, Place(config_of(server)) as place:
        place.own.write_text("daemon: {memory_light: 64, retries: 0}\n")
        done = place.call("job", "health")
        assert done.returncode != 0, done.stderr


def every_fault_of_a_configuration_is_told_at_once_and_nothing_starts():
    with Place("kraken:\n  url: 5\ngate:\n  threshold: 0.5\nfuse: {stale_after: 6 hours}\nnonsense: 1\n") as place:
        place.own.write_text("daemon:\n  port: 99999\n  prot: 3\n  log_level: loud\n  listen: 0.0.0.0\nalert:\n  channels: [telegram, pigeon]\n"
                             "ingest:\n  sources: [kraken.gossip]\n")
        done = place.call()
        wanted = [f"{place.config}:4", "gate.threshold", f"{place.config}:5", "fuse.stale_after", f"{place.config}:6", "nonsense",
                  f"{place.own}:2", "daemon.port", f"{place.own}:3", "daemon.prot", f"{place.own}:4: daemon.log_level",
                  f"{place.own}:5: daemon.listen", f"{place.own}:7: alert.channels: telegram wants CRYPTOSMART_TELEGRAM_TOKEN",
                  "telegram wants alert.telegram_chat", "'pigeon' is none of", f"{place.own}:9: ingest.sources: 'kraken.gossip'"]
        missing = [text for text in wanted if text not in done.stderr]
        assert done.returncode == 2 and not missing, (missing, done.stderr)
        assert not place.workspace.exists()


def the_test_clock_is_refused_beside_live_data():
    with Place('kraken: {url: "https://api.kraken.com/0"}\n') as place:
        done = place.call("--test-clock", "http://127.0.0.1:1")
        assert done.returncode == 2 and "live data" in done.stderr, done.stderr
        done = place.call("--test-clock", "http://example.org")
        assert done.returncode == 2 and "127.0.0.1" in done.stderr, done.stderr


def the_doctor_tells_what_is_wrong_by_its_exit_code():
    with silent_exchange() as server, Place(config_of(server)) as place:
        place.start()
        place.wait(lambda: place.value("SELECT count(*) FROM facts WHERE name='disk.free'"), "a measurement")
        assert place.stop() == 0
        done = place.call("doctor")
        assert done.returncode == 0 and "daemon.db" in done.stdout, done.stdout
        (place.workspace / "daemon.db").write_bytes(b"no database " * 1000)
        for name in ("daemon.db-wal", "daemon.db-shm"):
            (place.workspace / name).unlink(missing_ok=True)
        done = place.call("doctor")
        assert done.returncode == 7 and "daemon.db" in done.stdout, done.stdout


if __name__ == "__main__":
    for test in (systemd_is_told_ready_alive_and_stopping, a_reload_takes_a_whole_configuration_and_refuses_a_faulty_one,
                 jobs_have_the_configuration_in_force_whatever_stands_in_the_files, one_daemon_serves_a_workspace, a_clean_stop_ends_running_jobs_which_go_on_at_the_next_start,
                 jobs_die_with_a_daemon_that_is_killed, a_job_that_takes_too_long_is_ended, a_job_that_wants_too_much_memory_fails_by_itself,
                 every_fault_of_a_configuration_is_told_at_once_and_nothing_starts, the_test_clock_is_refused_beside_live_data,
                 the_doctor_tells_what_is_wrong_by_its_exit_code):
        print(test.__name__.replace("_", " "), flush=True)
        test()
    sys.exit(0)
