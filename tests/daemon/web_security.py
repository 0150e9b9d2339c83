# SPDX-License-Identifier: MIT
"""Who may do what: every role on every route by every method; sessions, forged requests, limits, hostile bytes."""
import socket
import threading
import time

import web

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
RANK = {"NONE": 0, "VIEWER": 1, "OPERATOR": 2, "ADMIN": 3}
GIVEN = {"{file}": "style.css", "{venue}": "binance", "{base}": "BTC", "{quote}": "USDT", "{job}": "nothing", "{run}": "999999", "{alert}": "999999",
         "{user}": "nobody-there", "{token}": "999999", "{row}": "999999999"}
# Streams do not end; these would end the very session that asks.
LEFT_OUT = {"events", "logout"}


def concrete(path):
    for name, value in GIVEN.items():
        path = path.replace(name, value)
    return path


def expected(routes, path, method, rank, kind):
    """The status that the table of routes asks for; None: whatever a permitted request gives."""
    at = [row for row in routes if row[2] == path]
    wanted = "GET" if method == "HEAD" else method
    found = [row for row in at if row[1] == wanted]
    if not found:
        return 405
    _, _, _, role, scope, _, _ = found[0]
    if RANK[role] == 0:
        return None
    if rank == 0:
        return 401
    if rank < RANK[role]:
        return 403
    if kind == "token" and scope == "SESSION":
        return 403
    if kind == "no csrf" and wanted != "GET":
        return 403
    if kind in ("read", "export", "metrics", "operate") and (scope == "SESSION" or scope.lower() != kind):
        return 403
    return None


def roles(check, place, clients):
    routes = web.table("routes.def", "ROUTE")
    check(len(routes) > 30, "the table of routes is read")
    tried = 0
    for path in sorted({row[2] for row in routes}):
        for method in METHODS:
            name = next((row[0] for row in routes if row[2] == path and row[1] == ("GET" if method == "HEAD" else method)), "")
            for label, (client, rank, kind) in clients.items():
                want = expected(routes, path, method, rank, kind)
                if want is None and name in LEFT_OUT:
                    continue
                answer = client.ask(method, concrete(path), headers={"X-CSRF-Token": None} if kind == "no csrf" else None)
                tried += 1
                if want is None:
                    check(answer.status not in (401, 403, 405, 500), f"{label} may {method} {path}: {answer}")
                else:
                    check(answer.status == want, f"{label} {method} {path}: {answer.status}, not {want}")
                if answer.status == 405:
                    check(answer.headers.get("Allow"), f"405 of {path} names what is allowed")
    check(tried > 2000, f"{tried} combinations were tried")
    check(web.Client(place.port).get("/api/v2/ranking").status == 404, "what is not in the table is 404")


def sessions(check, place):
    client = web.Client(place.port)
    answer = client.post("/api/v1/login", {"user": "viewer", "password": web.password_of("viewer")})
    cookie = answer.headers["Set-Cookie"]
    check("HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie, f"the cookie is guarded: {cookie}")
    first = client.cookie
    client.post("/api/v1/login", {"user": "viewer", "password": web.password_of("viewer")})
    check(client.cookie != first, "a login makes a new session")
    stale = web.Client(place.port)
    stale.cookie = first
    check(stale.get("/api/v1/ranking").status == 401, "the session before the login is gone")
    secret = client.cookie.split("=", 1)[1]
    dump = "\n".join(str(row) for row in place.database("SELECT * FROM sessions"))
    check(secret not in dump, "the database does not hold the session's secret")
    check(web.password_of("viewer") not in str(place.database("SELECT * FROM users")), "nor a password")
    check("$argon2id$" in place.database("SELECT password FROM users LIMIT 1")[0][0], "passwords are argon2id")
    hour = 3600 * 10**9
    place.database("UPDATE sessions SET seen = seen - ?", 9 * hour)
    check(client.get("/api/v1/ranking").status == 401, "an idle session ends")
    client = web.Client(place.port, "viewer")
    place.database("UPDATE sessions SET created = created - ?", 8 * 24 * hour)
    check(client.get("/api/v1/ranking").status == 401, "an old session ends")
    client = web.Client(place.port, "viewer")
    check(client.post("/api/v1/logout").status == 204 and client.get("/api/v1/ranking").status == 401, "a logout ends the session")


def forged(check, place):
    client = web.Client(place.port, "operator")
    path = "/api/v1/jobs/learn/run"
    check(client.post(path).status == 202, "an operator runs a job")
    for name, headers in {"another origin": {"Origin": "http://evil.example"}, "no origin of ours": {"Origin": "null"}, "another site": {"Sec-Fetch-Site": "cross-site"},
                          "a wrong token": {"X-CSRF-Token": "A" * 43}, "an empty token": {"X-CSRF-Token": ""}}.items():
        check(client.post(path, headers=headers).status == 403, f"{name} is refused")
    other = web.Client(place.port, "viewer")
    check(client.post(path, headers={"X-CSRF-Token": other.csrf}).status == 403, "another session's token is refused")
    check(client.get("/api/v1/ranking", headers={"Host": "evil.example"}).status == 421, "a foreign name of this machine is refused")
    check(client.post("/api/v1/login", {"user": "viewer", "password": "x"}, headers={"Origin": "http://evil.example"}).status == 403, "nobody is logged in from another site")


def users(check, place):
    admin = web.Client(place.port, "admin")
    secret = "a canary that nobody may see"
    check(admin.post("/api/v1/users", {"user": "zoe", "role": "viewer", "password": secret}).status == 204, "an admin adds a user")
    check(admin.post("/api/v1/users", {"user": "zoe", "role": "viewer", "password": secret}).status == 409, "a name is given once")
    check(admin.post("/api/v1/users", {"user": "../x", "role": "viewer", "password": secret}).status == 400, "a name is a name")
    check(admin.post("/api/v1/users", {"user": "yan", "role": "root", "password": secret}).status == 400, "a role is a role")
    check(admin.post("/api/v1/users", {"user": "yan", "role": "viewer", "password": "short"}).status == 400, "a password has a length")
    zoe = web.Client(place.port)
    check(zoe.post("/api/v1/login", {"user": "zoe", "password": secret}).status == 200, "the new user logs in")
    token = zoe.post("/api/v1/tokens", {"name": "mine", "scopes": "read"}).json()
    by_token = web.Client(place.port, token=token["token"])
    check(by_token.get("/api/v1/ranking").status == 200, "a token reads")
    check(by_token.get("/api/v1/ledger").status == 403, "but does not export")
    check(token["token"] not in str(place.database("SELECT * FROM tokens")), "the database does not hold the token")
    check(admin.ask("PUT", "/api/v1/users/zoe/role", {"role": "operator"}).status == 204, "a role changes")
    check(zoe.get("/api/v1/session").json()["role"] == "operator", "at once")
    check(zoe.post("/api/v1/password", {"password": "wrong", "new_password": "another long one"}).status == 403, "one's password is asked for")
    second = web.Client(place.port)
    second.post("/api/v1/login", {"user": "zoe", "password": secret})
    check(zoe.post("/api/v1/password", {"password": secret, "new_password": "another long one"}).status == 204, "one's password changes")
    check(second.get("/api/v1/ranking").status == 401 and zoe.get("/api/v1/ranking").status == 200, "which ends the other sessions")
    check(zoe.ask("DELETE", f"/api/v1/tokens/{token['id']}").status == 204 and by_token.get("/api/v1/ranking").status == 401, "a token is revoked")
    check(admin.ask("DELETE", "/api/v1/users/zoe").status == 204 and zoe.get("/api/v1/ranking").status == 401, "a user is removed, sessions and all")
    check(admin.ask("DELETE", "/api/v1/users/admin").status == 400 and admin.ask("PUT", "/api/v1/users/admin/role", {"role": "viewer"}).status == 400, "the last admin stays")
    trail = admin.get("/api/v1/audit?limit=1000").json()["audit"]
    for action in ("login", "login refused", "user add", "user role", "user password", "user remove", "token add", "token remove", "job run"):
        check(any(row["action"] == action for row in trail), f"the trail knows '{action}'")
    check(secret not in str(trail) and secret.encode() not in b"".join(file.read_bytes() for file in place.path.glob("daemon.db*")), "no password lies anywhere")


def hostile(check, place):
    client = web.Client(place.port, "viewer")
    port = place.port
    login = "/api/v1/login"
    bodies = {b"": 400, b"[]": 400, b"{": 400, b'{"user":"a"}': 400, b'{"user":"a","password":"b","more":1}': 400, b'{"user":1,"password":"b"}': 400,
              b'{"user":"a","user":"b","password":"c"}': 400, b'{"user":"a\\u0000b","password":"c"}': 400, b"\xff\xfe": 400, b'{"user":"' + b"x" * 60 + b'","password":"c"}': 400,
              b"[" * 5000: 400, b"x" * 70000: 413}
    for body, status in bodies.items():
        answer = web.Client(port).ask("POST", login, raw=body, headers={"Content-Type": "application/json"})
        check(answer.status == status, f"a body {body[:30]!r} gives {answer.status}, not {status}")
    check(web.Client(port).ask("POST", login, raw=b"user=a", headers={"Content-Type": "application/x-www-form-urlencoded"}).status == 415, "forms are not taken")
    for query in ("?limit=0", "?limit=-1", "?limit=99999999999999999999", "?other=1", "?format=xml", "?from=yesterday", "?horizon=30x", "?shown=2", "?limit"):
        check(web.Client(port, "viewer").get("/api/v1/ledger" + query).status == 400, f"/ledger{query} is refused")
    for path in ("/static/../web.c", "/static/%2e%2e/routes.def", "/static/nothing", "/api/v1/coins/%00/a/b", "/api/v1/coins/" + "a" * 300 + "/b/c", "/%", "/api/v1/coins/a/b/c/d/e"):
        check(client.get(path).status in (400, 404), f"{path[:60]} is not found")
    for data in (b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01" + b"\x00" * 200, b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
                 b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"y" * 60000 + b"\r\n\r\n"):
        found = web.raw_bytes(port, data)
        check(not found.startswith(b"HTTP/1.1 200"), f"{data[:30]!r} gets no page")
    check(client.get("/api/v1/ranking").status == 200, "the server still serves")


def slow(check, place):
    """Clients that send a byte now and then are cut off; others notice nothing of them."""
    idle = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(100)]
    for connection in idle:
        connection.sendall(b"GET /api/v1/ranking HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    ended = threading.Event()

    def trickle():
        while not ended.wait(0.2):
            for connection in idle:
                try:
                    connection.sendall(b"x")
                except OSError:
                    pass

    thread = threading.Thread(target=trickle)
    thread.start()
    client = web.Client(place.port, "viewer")
    began = time.monotonic()
    good = sum(client.get("/api/v1/ranking").status == 200 for _ in range(50))
    check(good == 50, "beside 100 slow clients every request is answered")
    print(f"50 requests beside 100 slow clients: {time.monotonic() - began:.2f} s")
    cut = 0
    for connection in idle:
        connection.settimeout(30)
        try:
            cut += connection.recv(1) == b""
        except ConnectionError:
            cut += 1
        except TimeoutError:
            pass
    ended.set()
    thread.join()
    for connection in idle:
        connection.close()
    check(cut == 100, f"slow clients are cut off: {cut} of 100")


def guessing(check, place):
    answers = [web.Client(place.port).post("/api/v1/login", {"user": "otto", "password": "guess"}).status for _ in range(8)]
    check(answers[:5] == [401] * 5 and answers[-1] == 429, f"guessing has to wait: {answers}")
    check(web.Client(place.port, "viewer").get("/api/v1/ranking").status == 200, "others do not")


def headers(check, place):
    client = web.Client(place.port)
    for path in ("/", "/static/app.js", "/api/v1/session", "/api/v1/ranking", "/nothing"):
        answer = client.get(path)
        policy = answer.headers.get("Content-Security-Policy", "")
        check("default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, f"{path} has a policy")
        check(answer.headers.get("X-Content-Type-Options") == "nosniff" and answer.headers.get("Referrer-Policy") == "no-referrer", f"{path} has the other headers")
    page = client.get("/").body.decode()
    check("<script>" not in page and "onclick" not in page and "style=" not in page, "the page has no inline script or style")
    client = web.Client(place.port, "viewer")
    tag = client.get("/api/v1/ranking").headers["ETag"]
    check(client.get("/api/v1/ranking", headers={"If-None-Match": tag}).status == 304, "what is known is not sent again")


def main():
    web.built()
    check = web.Checks()
    with web.Workspace("empty") as place:
        place.plant_work()
        place.start()
        anyone = {role: (web.Client(place.port, role), rank + 1, "session") for rank, role in enumerate(web.ROLES)}
        anyone["nobody"] = (web.Client(place.port), 0, "session")
        anyone["an admin without the token against forged requests"] = (web.Client(place.port, "admin"), 3, "no csrf")
        for scopes in ("read,export,metrics,operate,admin", "read", "metrics"):
            made = anyone["admin"][0].post("/api/v1/tokens", {"name": scopes, "scopes": scopes}).json()
            anyone[f"a token for {scopes}"] = (web.Client(place.port, token=made["token"]), 3, "token" if "," in scopes else scopes)
        roles(check, place, anyone)
        sessions(check, place)
        forged(check, place)
        guessing(check, place)
        users(check, place)
        headers(check, place)
        hostile(check, place)
        slow(check, place)
    check.end()


main()
