# SPDX-License-Identifier: MIT
"""Alerts on this machine: servers that play Telegram, Discord, Slack and a mail server, first refusing, then taking; and canary
secrets that must stand nowhere."""
import base64
import http.server
import json
import pathlib
import socket
import sys
import threading

from daemon import Place

TOKEN = "123456789:AAcanaryTelegramTokenThatMustNotLeak"
DISCORD = "/api/webhooks/77/canaryDiscordWebhookThatMustNotLeak"
SLACK = "/services/T0/B0/canarySlackWebhookThatMustNotLeak"
MAIL_USER, MAIL_PASSWORD = "alerts", "canaryMailPasswordThatMustNotLeak"
CANARIES = [TOKEN, DISCORD, SLACK, MAIL_PASSWORD, base64.b64encode(f"\0{MAIL_USER}\0{MAIL_PASSWORD}".encode()).decode()]


class Hooks(http.server.ThreadingHTTPServer):
    """Answers the first call of each path as a real server refuses for a while, later ones as it takes."""

    first = {"telegram": (429, {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after 1, bot{TOKEN}",
                                "parameters": {"retry_after": 1}}),
             "discord": (503, {"message": "down"}), "slack": (429, "rate_limited")}
    later = {"telegram": (200, {"ok": True, "result": {"message_id": 1}}), "discord": (200, {"id": "1"}), "slack": (200, "ok")}

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.calls, self.taken, self.lock, self.dead = {}, [], threading.Lock(), set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        hooks = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.split("?")[0]
        kind = {f"/bot{TOKEN}/sendMessage": "telegram", DISCORD: "discord", SLACK: "slack"}.get(path)
        with hooks.lock:
            count = hooks.calls[kind] = hooks.calls.get(kind, 0) + 1
            if kind is None or kind in hooks.dead:
                status, said = 404, "no_service"
            else:
                status, said = hooks.first[kind] if count == 1 else hooks.later[kind]
                if status == 200:
                    hooks.taken.append((kind, self.path, self.headers, json.loads(body)))
        said = (said if isinstance(said, str) else json.dumps(said)).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Type", "application/json" if said[:1] == b"{" else "text/plain")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


class Mail(threading.Thread):
    """A mail server of few words: greylists the first message, takes the others."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self.socket.getsockname()[1]}/alerts.example.org"
        self.sessions, self.taken = 0, []
        self.start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            with connection:
                self.sessions += 1
                self.serve(connection.makefile("rb"), connection, self.sessions == 1)

    def serve(self, lines, connection, grey):
        say = lambda text: connection.sendall(text.encode() + b"\r\n")
        said, message = [], b""
        say("220 mail.example.org")
        for line in lines:
            word = line.decode().strip()
            said.append(word)
            verb = word.split(" ")[0].upper()
            if verb == "EHLO":
                say("250-mail.example.org\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                say("235 welcome" if len(word.split(" ")) > 2 else "334 ")
            elif verb == "RCPT" and grey:
                say("451 greylisted, come again")
            elif verb == "DATA":
                say("354 go on")
                for text in lines:
                    if text == b".\r\n":
                        break
                    message += text
                say("250 taken")
                self.taken.append((said, message))
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("235 welcome" if said[-2:-1] and said[-2].startswith("AUTH") else "250 ok")


CONFIG = """
kraken: {{url: "http://127.0.0.1:9/0"}}
ingest: {{sources: [kraken.ticker]}}
"""
OWN = """
daemon: {{retries: 0, env_file: "{env}"}}
alert:
  channels: [telegram, discord, slack, mail]
  telegram_url: "{hooks}"
  telegram_chat: "-100123"
  mail_url: "{mail}"
  mail_from: alerts@example.org
  mail_to: [one@example.org, two@example.org]
  job_failures: 1
  retry_first: 1s
  retry_last: 2s
"""


def make_place(hooks, mail):
    place = Place(CONFIG.format(), prefix="csm-alerts-")
    env = place.root / "secrets.env"
    env.write_text(f"CRYPTOSMART_DISCORD_WEBHOOK={hooks.url}{DISCORD}\nexport CRYPTOSMART_SLACK_WEBHOOK='{hooks.url}{SLACK}'\n"
                   f"CRYPTOSMART_MAIL_USER={MAIL_USER}\nCRYPTOSMART_MAIL_PASSWORD=\"{MAIL_PASSWORD}\"\nCRYPTOSMART_TELEGRAM_TOKEN=overridden\n")
    env.chmod(0o600)
    place.own.write_text(OWN.format(env=env, hooks=hooks.url, mail=mail.url))
    place.environment["CRYPTOSMART_TELEGRAM_TOKEN"] = TOKEN
    return place


def no_canary_anywhere(place):
    """In the log, in every file of the workspace (daemon.db with its write-ahead log among them); the .env file alone may have them."""
    for path in place.root.rglob("*"):
        if path.is_file() and path.name != "secrets.env":
            data = path.read_bytes()
            for canary in CANARIES:
                assert canary.encode() not in data, f"{canary} stands in {path}"
                assert canary.split("/")[-1].encode() not in data, f"{canary} stands in {path}"


def a_failing_job_raises_one_alert_that_reaches_every_channel(place, hooks, mail):
    place.start()
    place.wait(lambda: place.value("SELECT count(*) FROM notifications WHERE state='sent' AND alert=1") == 4, "four messages")
    # discover, clock (and nothing else) ask the network: an alert each, raised once however often it is looked at
    assert place.query("SELECT DISTINCT rule, count(*) FROM alerts WHERE cleared IS NULL GROUP BY 1 HAVING count(*)>1") == []
    assert place.value("SELECT min(attempts) FROM notifications WHERE alert=1") >= 2, "the first try of each was refused"
    alert = place.query("SELECT rule, text FROM alerts WHERE id=1")[0]
    kinds = {kind: body for kind, path, headers, body in hooks.taken}
    assert kinds["telegram"]["chat_id"] == "-100123" and "alert 1," in kinds["telegram"]["text"], kinds
    assert kinds["discord"]["allowed_mentions"] == {"parse": []} and "[warning]" in kinds["discord"]["content"], kinds
    assert any("wait=true" in path for kind, path, _, _ in hooks.taken if kind == "discord")
    assert "&" not in kinds["slack"]["text"].replace("&amp;", "").replace("&lt;", "").replace("&gt;", ""), kinds
    said, message = mail.taken[0]
    assert any(word.startswith("RCPT TO:<two@example.org>") for word in said), said
    head, body = message.split(b"\r\n\r\n", 1)
    assert b"Message-ID: <cryptosmart-" in head and b"Auto-Submitted: auto-generated" in head, head
    assert alert[1][:40] in base64.b64decode(body).decode(), (alert, base64.b64decode(body))
    assert place.stop() == 0


def a_webhook_that_was_deleted_is_not_asked_again(place, hooks, mail):
    hooks.dead.add("slack")
    before = hooks.calls["slack"]
    done = place.call("--alert-test")
    assert done.returncode == 6 and "telegram: sent" in done.stdout and "slack: " in done.stdout, done.stdout
    assert hooks.calls["slack"] == before + 1, "404 is final"
    for canary in CANARIES:
        assert canary not in done.stdout + done.stderr, done.stdout


def an_environment_file_that_others_may_read_is_refused(place):
    env = place.root / "secrets.env"
    env.chmod(0o640)
    done = place.call("--check-config")
    assert done.returncode == 2 and "0600" in done.stderr and "discord wants CRYPTOSMART_DISCORD_WEBHOOK" in done.stderr, done.stderr
    env.chmod(0o600)
    assert place.call("--check-config").returncode == 0


def children_do_not_see_secrets(place):
    """A job's environment, looked at while it waits for an exchange that does not answer."""
    place.workspace = place.root / "other"  # where every job is due
    silent = socket.create_server(("127.0.0.1", 0))
    place.config.write_text(CONFIG.replace("{{", "{").replace("}}", "}").replace(":9/0", f":{silent.getsockname()[1]}/0"))
    place.start()
    pid = place.wait(lambda: place.value("SELECT max(pid) FROM job_runs WHERE state='running' AND job='discover'"), "a job")
    seen = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    assert b"PATH=" in seen and TOKEN.encode() not in seen
    own = pathlib.Path(f"/proc/{place.child.pid}/environ").read_bytes()
    assert b"CRYPTOSMART_TELEGRAM_TOKEN=\0" in own and TOKEN.encode() not in own, "the environment's copy is erased"
    assert "Max core file size        0                    0" in pathlib.Path(f"/proc/{place.child.pid}/limits").read_text()
    assert place.stop() == 0
    silent.close()


if __name__ == "__main__":
    hooks, mail = Hooks(), Mail()
    with make_place(hooks, mail) as place:
        for test, arguments in ((a_failing_job_raises_one_alert_that_reaches_every_channel, (hooks, mail)),
                                (a_webhook_that_was_deleted_is_not_asked_again, (hooks, mail)),
                                (an_environment_file_that_others_may_read_is_refused, ()), (children_do_not_see_secrets, ())):
            print(test.__name__.replace("_", " "), flush=True)
            test(place, *arguments)
        no_canary_anywhere(place)
        print("no canary anywhere")
    sys.exit(0)
