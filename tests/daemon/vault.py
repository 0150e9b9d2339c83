# SPDX-License-Identifier: MIT
"""Secrets out of a Vault on this machine that answers as HashiCorp's does: by token, by AppRole, sealed, denied, deleted."""
import http.server
import json
import sys
import threading

from daemon import Place

CANARY, TOKEN, ROLE, SECRET = "987654321:AAcanaryFromVault", "hvs.canaryVaultToken", "role-canary-id", "secret-canary-id"
CONFIG = "alert: {channels: [telegram], telegram_chat: '1'}\nvault: {address: 'URL', mount: kv, path: trading/cryptosmart, namespace: team}\n"


class Vault(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url, self.state, self.seen = f"http://127.0.0.1:{self.server_address[1]}", "fine", []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def answer(self, status, said):
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        words = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append(self.path)
        if self.path != "/v1/auth/approle/login" or words != {"role_id": ROLE, "secret_id": SECRET}:
            return self.answer(400, {"errors": ["invalid role or secret ID"]})
        self.answer(200, {"auth": {"client_token": TOKEN, "lease_duration": 1200, "renewable": True}})

    def do_GET(self):
        self.server.seen.append(self.path)
        version = {"created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": False, "version": 2}
        answers = {"sealed": (503, {"errors": ["Vault is sealed"]}),
                   "deleted": (404, {"data": {"data": None, "metadata": dict(version, deletion_time="2026-02-01T00:00:00Z")}}),
                   "old": (200, {"data": {"CRYPTOSMART_TELEGRAM_TOKEN": CANARY}}),
                   "fine": (200, {"data": {"data": {"CRYPTOSMART_TELEGRAM_TOKEN": CANARY, "port": 5}, "metadata": version}})}
        if self.headers["X-Vault-Token"] != TOKEN or self.headers["X-Vault-Namespace"] != "team" or self.headers["X-Vault-Request"] != "true":
            return self.answer(403, {"errors": ["permission denied"]})
        if self.path != "/v1/kv/data/trading/cryptosmart":
            return self.answer(404, {"errors": []})
        self.answer(*answers[self.server.state])

    def log_message(self, *_):
        pass


def check(place, code, text, **environment):
    names = ("VAULT_TOKEN", "CRYPTOSMART_VAULT_ROLE_ID", "CRYPTOSMART_VAULT_SECRET_ID")
    for name in names:
        place.environment.pop(name, None)
    place.environment.update(environment)
    done = place.call("--check-config")
    said = done.stdout + done.stderr
    assert done.returncode == code and text in said, (code, text, done.returncode, said)
    for canary in (CANARY, TOKEN, SECRET, ROLE):
        assert canary not in said, said


if __name__ == "__main__":
    vault = Vault()
    with Place() as place:
        place.own.write_text(CONFIG.replace("URL", vault.url))
        login = {"CRYPTOSMART_VAULT_ROLE_ID": ROLE, "CRYPTOSMART_VAULT_SECRET_ID": SECRET}
        check(place, 0, "whole", VAULT_TOKEN=TOKEN)
        check(place, 0, "whole", **login)
        assert "/v1/auth/approle/login" in vault.seen
        check(place, 2, "neither VAULT_TOKEN nor")
        check(place, 2, "permission denied", VAULT_TOKEN="hvs.wrongToken")
        check(place, 2, "invalid role or secret ID", **dict(login, CRYPTOSMART_VAULT_SECRET_ID="wrong-secret"))
        for state, text in (("sealed", "Vault is sealed"), ("deleted", "deleted"), ("old", "KV version 2")):
            vault.state = state
            check(place, 2, text, VAULT_TOKEN=TOKEN)
        vault.state = "fine"
        place.environment["CRYPTOSMART_TELEGRAM_TOKEN"] = "123:fromTheEnvironment"
        check(place, 0, "whole", VAULT_TOKEN=TOKEN)
    print("secrets come from a Vault, and its refusals are told without them")
    sys.exit(0)
