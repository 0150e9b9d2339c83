# SPDX-License-Identifier: MIT
"""Every answer has the shape that the OpenAPI document gives it; every number in it is that of the row that it names; figures for
Prometheus parse; texts exist in both languages."""
import json
import math
import re
import subprocess
import sys
import time

import web

PAGES = {"session": "session", "ranking": "ranking", "matrix": "matrix", "gate": "gate", "health": "health", "status": "status", "coverage": "coverage", "sources": "sources",
         "models": "models", "reliability": "reliability", "coins": "coins", "coin": "coins/binance/AAVE/USDT", "coin_bars": "coins/binance/AAVE/USDT/bars?count=50",
         "coin_features": "coins/binance/AAVE/USDT/features", "coin_explanation": "coins/binance/AAVE/USDT/explanation", "ledger": "ledger", "jobs": "jobs", "run_log": "runs/1/log",
         "alerts": "alerts", "audit": "audit", "users": "users", "tokens": "tokens"}
NEED_COIN = {"coin", "coin_bars", "coin_features", "coin_explanation"}


# ---- shapes: the part of JSON Schema that our document uses; tests/run.sh has jsonschema do it too where PyPI was reached ----

def is_type(value, name):
    return {"null": value is None, "boolean": isinstance(value, bool), "integer": isinstance(value, int) and not isinstance(value, bool),
            "number": isinstance(value, (int, float)) and not isinstance(value, bool), "string": isinstance(value, str), "array": isinstance(value, list), "object": isinstance(value, dict)}[name]


def faults(value, schema, document, where=""):
    if "$ref" in schema:
        yield from faults(value, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document, where)
        return
    types = schema.get("type")
    if types and not any(is_type(value, name) for name in ([types] if isinstance(types, str) else types)):
        yield f"{where}: {str(value)[:60]!r} is no {types}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} is not {schema['pattern']}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: {name} is missing"
        for name, member in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
            if inner is False:
                yield f"{where}: {name} is not in the document"
            elif isinstance(inner, dict):
                yield from faults(member, inner, document, f"{where}.{name}")
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        for i, item in enumerate(value):
            inner = first[i] if i < len(first) else schema.get("items")
            if isinstance(inner, dict):
                yield from faults(item, inner, document, f"{where}[{i}]")


def shapes(check, port, client, coin):
    document = client.get("/api/v1/openapi.json").json()
    routes = web.table("routes.def", "ROUTE")
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    wanted = {(row[2], row[1].lower()) for row in routes if row[0] not in ("page", "asset")}
    check(described == wanted, f"the document describes every route: {described ^ wanted}")
    for name, path in PAGES.items():
        if name in NEED_COIN and not coin:
            continue
        answer = client.get("/api/v1/" + path)
        check(answer.status == 200, f"{name}: {answer}")
        if answer.status == 200:
            found = list(faults(answer.json(), {"$ref": "#/components/schemas/" + name}, document, name))
            check(not found, f"{name} has its shape: {found[:3]}")
    problem = web.Client(port).get("/api/v1/users")
    check(not list(faults(problem.json(), document["components"]["schemas"]["problem"], document)) and problem.headers["Content-Type"] == "application/problem+json", "a problem has its shape")
    return document


def by_library(check, document, client, coin):
    """The same with jsonschema and openapi-spec-validator, where they are installed."""
    try:
        from jsonschema import Draft202012Validator
        from openapi_spec_validator import validate
    except ImportError:
        print("jsonschema or openapi-spec-validator is not installed: our own check of shapes stands alone")
        return
    validate(document)
    for name, path in PAGES.items():
        if name in NEED_COIN and not coin:
            continue
        schema = {"$ref": "#/components/schemas/" + name, "components": document["components"]}
        found = [error.message for error in Draft202012Validator(schema).iter_errors(client.get("/api/v1/" + path).json())]
        check(not found, f"jsonschema agrees about {name}: {found[:3]}")


# ---- rows: where numbers come from ----

LEDGER = {"expected_return": "expected"}
OUTCOME = {"log_return"}


class Rows:
    """Looks numbers up in the workspace, without the web server."""

    def __init__(self, place):
        self.place = place
        self.evaluation = {}
        try:
            self.evaluation = json.loads(place.program("evaluate"))
        except AssertionError:
            pass  # no model
        self.status = json.loads(place.program("status"))

    def one(self, sql, *values, name="catalog.db"):
        rows = self.place.database(sql, *values, name=name)
        return rows[0][0] if rows else None

    def ledger(self, ident, key, path):
        if "-" in ident:  # numbers counted over the rows of a decision
            first, last = map(int, ident.split("-"))
            horizon = self.one("SELECT max(horizon) FROM ledger WHERE row BETWEEN ? AND ?", first, last)
            if key == "coins":
                return self.one("SELECT count(*) FROM ledger WHERE row BETWEEN ? AND ? AND horizon = ?", first, last, horizon)
            return "counted" if "steps" in path else None  # by funnel() below
        if key in ("value", "contribution"):
            return "in text"
        if key in OUTCOME:
            return self.one("SELECT log_return FROM outcomes WHERE row = ?", int(ident))
        return self.one(f"SELECT {LEDGER.get(key, key)} FROM ledger WHERE row = ?", int(ident))

    def coverage_runs(self, ident, key, path):
        if path[-2] == "by_reason":
            bit = self.reasons()[key]
            return self.one(f"SELECT {path[-3]} FROM coverage_reasons WHERE run = ? AND reason = ?", int(ident), bit)
        return self.one(f"SELECT {path[-2]}_{key} FROM coverage_runs WHERE run = ?", int(ident))

    def reasons(self):
        text = (web.SOURCE / "include" / "cryptosmart" / "reasons.def").read_text()
        return {name: int(bit) for bit, name in re.findall(r"CSM_REASON\((\d+), (\w+)", text)}

    def models(self, ident, key, path):
        if ident != self.evaluation.get("model"):
            return None
        if "horizons" not in path:
            return self.evaluation["features"] if key == "features" else "register"
        horizon = self.evaluation["horizons"][path[path.index("horizons") + 1]]
        rest = path[path.index("horizons") + 2:]
        rest = ["model" if part in ("scores", "walk") else part for part in rest]
        if rest[0] == "model" and rest[1] == "evidence":
            rest = rest[1:]
        found = horizon
        for part in rest:
            if isinstance(found, dict) and part not in found:
                return {"training_rows": horizon.get("training_rows"), "market_return": horizon.get("market_return")}.get(part)
            found = found[part]
        return found

    def registry(self, ident, key, path):
        return self.one("SELECT max(epoch) FROM registry WHERE venue || ':' || symbol = ?", ident.rsplit("/", 1)[0]) if ident else "listed"

    def streams(self, ident, key, path):
        if not ident:
            return "sum"
        kind, venue, base, quote, epoch, interval = ident.split("@")[0].split("/")
        return "stream" if self.one("SELECT 1 FROM streams WHERE kind = ? AND venue = ? AND symbol = ? AND epoch = ? AND interval = ?", kind, venue, f"{base}/{quote}", int(epoch), int(interval)) else None

    def status_(self, key):
        names = {"history_weeks": ("history_clock_days", 7), "live_weeks": ("live_clock_days", 7), "weeks_needed": ("clock_needed_days", 7)}
        if key in names:
            name, divisor = names[key]
            return self.status[name] / divisor
        return self.status.get(key)

    def own(self, table, ident, key):
        return self.one(f"SELECT {key} FROM {table} WHERE {'name' if table == 'jobs' else 'id'} = ?", ident, name="daemon.db")


COMPUTED = {"gate", "health", "features", "explanation", "trials", "outcomes"}  # of many rows; the functions behind them have tests of their own


def numbers(value, source=None, path=()):
    """Every number with the nearest `from` above it."""
    if isinstance(value, dict):
        source = value.get("from", source)
        for name, member in value.items():
            yield from numbers(member, source, path + (name,))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from numbers(item, source, path + (i,))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield source, path, value


def looked_up(rows, source, path):
    table, _, ident = source.partition("/")
    key = path[-1]
    if table in COMPUTED or (table == "streams" and path[0] == "bars"):
        return "computed"
    if table == "status":
        return rows.status_(key)
    if table in ("jobs", "job_runs", "alerts", "tokens", "users", "audit"):
        return rows.own(table, ident, key)
    if table == "job_log":
        return rows.one("SELECT line FROM job_log WHERE run = ? AND line = ?", *map(int, ident.split("/")), name="daemon.db")
    return getattr(rows, table)(ident, key, list(path))


def traced(check, place, client):
    rows = Rows(place)
    total = exact = 0
    for name, path in PAGES.items():
        for source, where, value in numbers(client.get("/api/v1/" + path).json()):
            total += 1
            if source is None:
                check(False, f"{name}.{where}: {value} does not say where it comes from")
                continue
            found = looked_up(rows, source, where)
            if isinstance(found, (int, float)):
                exact += 1
                check(math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-12), f"{name}.{where}: {value} is not {found} of {source}")
            else:
                check(found is not None, f"{name}.{where}: {value}: {source} is no row")
    print(f"{total} numbers say where they come from; {exact} were compared with the row itself")
    check(total > 2000 and exact > 1000, "there were numbers to trace")
    funnel(check, place, client)
    bars(check, place, client)


def funnel(check, place, client):
    ranking = client.get("/api/v1/ranking").json()
    first, last = map(int, ranking["funnel"]["from"].split("/")[1].split("-"))
    shows = [row[0] for row in place.database("SELECT show FROM ledger WHERE row BETWEEN ? AND ? AND horizon = (SELECT max(horizon) FROM ledger)", first, last, name="catalog.db")]
    bits = Rows.reasons(None)
    for step in ranking["funnel"]["steps"]:
        check(step["failed"] == sum(show >> bits[step["reason"]] & 1 for show in shows), f"the funnel counts {step['reason']}")
    check(ranking["funnel"]["steps"][-1]["left"] == len(ranking["rows"]) == sum(show == 0 for show in shows), "what is left is what is shown")
    returns = [row["horizons"]["30d"]["expected_return"] for row in ranking["rows"]]
    check(returns == sorted(returns, reverse=True), "the table begins with the highest expected return")
    check(all(row["horizons"]["30d"]["probability"] >= 0.8 for row in ranking["rows"]), "nothing below 80 % is shown")


def bars(check, place, client):
    """The chart's prices are those of the segment: an export's HDF5 files, read by h5py where it is installed."""
    try:
        import h5py
    except ImportError:
        print("h5py is not installed: the chart's bars are not compared with the segments")
        return
    answer = client.get("/api/v1/coins/binance/AAVE/USDT/bars?count=50").json()
    path = place.database("SELECT path FROM segments JOIN streams ON streams.id = stream WHERE symbol = 'AAVE/USDT' AND kind = 'bars' ORDER BY segments.newest DESC LIMIT 1", name="catalog.db")[0][0]
    with h5py.File(place.path / path, "r") as file:
        # docs/store.md, "Segments": differences to the row before, zigzag, in ticks of the scale
        close, attributes = file["close"][...].astype("int64"), file["close"].attrs
        check(attributes["delta"].decode() == "previous" and close.shape[0] > 1000, "the segment holds the coin's closes")
        known = close != int(attributes["missing"])
        steps = ((close >> 1) ^ -(close & 1)) * known * int(attributes.get("unit", 1))
        ticks = int(attributes["first"]) + steps.cumsum() + int(attributes.get("offset", 0)) * known.cumsum()
        wanted = [float(tick) / 10 ** int(attributes["scale"]) if there else None for tick, there in zip(ticks[-50:], known[-50:])]
    got = [bar[4] for bar in answer["bars"]]
    check(all(a is b is None or math.isclose(a, b, rel_tol=1e-12) for a, b in zip(got, wanted)), f"the chart's closes are the segment's: {got[:2]} {wanted[:2]}")


# ---- figures and texts ----

def figures(check, client):
    answer = client.get("/metrics")
    check(answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), "figures are served as Prometheus' text")
    known, values = {}, {}
    for line in answer.body.decode().splitlines():
        head = re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)", line)
        value = re.fullmatch(r'(\w+)(\{\w+="[^"\\\n]*"(?:,\w+="[^"\\\n]*")*\})? (NaN|[-+0-9.e]+)', line)
        check(head or value, f"a line of the format: {line}")
        if head:
            known.setdefault(head[2], set()).add(head[1])
        elif value:
            check(known.get(value[1]) == {"HELP", "TYPE"}, f"{value[1]} has help and type")
            check((value[1], value[2]) not in values, f"{value[1]}{value[2]} stands once")
            values[value[1], value[2]] = float(value[3])
    check(values["cryptosmart_up", None] == 1 and values["cryptosmart_coins_predicted", None] == 23, "figures are those of the workspace")
    try:
        from prometheus_client.parser import text_string_to_metric_families
        check(len(list(text_string_to_metric_families(answer.body.decode()))) > 15, "Prometheus' own parser takes them")
    except ImportError:
        print("prometheus-client is not installed: our own parser stands alone")


def texts(check):
    folder = web.WEB / "static"
    tables = {name: dict(re.findall(r'"([^"]+)": "((?:[^"\\]|\\.)*)"', (folder / f"text_{name}.js").read_text())) for name in ("en", "nl")}
    check(set(tables["en"]) == set(tables["nl"]), f"both languages have the same keys: {set(tables['en']) ^ set(tables['nl'])}")
    for key in tables["en"]:
        check(set(re.findall(r"\{\w+\}", tables["en"][key])) == set(re.findall(r"\{\w+\}", tables["nl"][key])), f"'{key}' has the same places in both languages")
    for name in Rows.reasons(None):
        check("reason " + name in tables["en"], f"{name} has a sentence")
    for file in folder.glob("*.js"):
        for key in re.findall(r'\bt\("([^"]+)"[,)]', file.read_text()):
            check(key in tables["en"], f"{file.name}: '{key}' has a text")


def live(check, client, place):
    """Events reach an open page."""
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", place.port)
    connection.request("GET", "/api/v1/events", headers={"Cookie": client.cookie})
    response = connection.getresponse()
    check(response.status == 200 and response.headers["Content-Type"] == "text/event-stream", "events are a stream")
    place.database("INSERT INTO alerts(rule, severity, text, raised) VALUES('another', 'warning', 'planted', 1)")
    found = ""
    while "event: change" not in found:
        found += response.fp.readline().decode()
    check("event: hello" in found, "a stream begins with a greeting")
    connection.close()
    before = client.get("/api/v1/ranking").headers["ETag"]
    web.run(web.PLANT, place.path, "2023-12-30T12:00:00Z")
    while client.get("/api/v1/ranking").headers["ETag"] == before:
        time.sleep(0.05)
    check(client.get("/api/v1/ranking").json()["prediction"]["decision"].startswith("2023-12-30T12"), "a new decision is served without a restart")


def feedback(check, place):
    client = web.Client(place.port, "operator")
    row = client.get("/api/v1/ranking").json()["rows"][0]["horizons"]["30d"]
    path = f"/api/v1/{row['from']}/feedback"
    check(client.post(path, {"verdict": "right", "text": "as it came"}).status == 204, "a forecast is marked")
    while client.get("/api/v1/ranking").json()["rows"][0]["horizons"]["30d"].get("verdict") != "right":
        time.sleep(0.05)
    check(client.post(path, {"verdict": "so so"}).status == 400 and client.post("/api/v1/ledger/99999999/feedback", {"verdict": "right"}).status == 404, "what makes no sense is refused")


def export(check, place):
    client = web.Client(place.port, "viewer")
    csv = client.get("/api/v1/ledger?format=csv")
    lines = csv.body.decode().split("\r\n")
    rows = client.get("/api/v1/ledger").json()["rows"]
    check(csv.headers["Content-Disposition"].startswith("attachment") and len(lines) == len(rows) + 2, "the CSV has a line a row")
    check(len(rows) == place.database("SELECT count(*) FROM ledger WHERE kind = 1", name="catalog.db")[0][0], "and every row of the ledger")


def daemon(check):
    """The same shapes from the running daemon, scheduler and all, on its first start."""
    place = web.Workspace("bare")
    try:
        environment = web.environment() | {"CRYPTOSMART__DAEMON__PORT": "0", "CRYPTOSMART__KRAKEN__URL": "http://127.0.0.1:9/0", "CRYPTOSMART__FEAR_GREED__URL": "http://127.0.0.1:9"}
        child = subprocess.Popen([web.DAEMON, "--workspace", place.path], stderr=subprocess.PIPE, text=True, env=environment)
        port = None
        for line in child.stderr:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found and '"web"' in line:
                port = int(found[1])
                break
        check(port, "the daemon says where its dashboard is")
        client = web.Client(port, "admin")
        while client.get("/readyz").status != 200:
            assert child.poll() is None
        document = shapes(check, port, client, coin=False)
        by_library(check, document, client, coin=False)
        check(client.get("/api/v1/ranking").json()["verdict"] == "no_model", "a first start says that nothing was learnt")
        check(client.post("/api/v1/jobs/health/run").status in (202, 409), "a job is run through the scheduler")
        check(client.post("/api/v1/jobs/no-such-job/run").status == 404, "and only one that exists")
        child.terminate()
        child.stderr.read()
        check(child.wait() == 0, "the daemon ends cleanly")
    finally:
        place.folder.cleanup()


def main():
    web.built()
    check = web.Checks()
    texts(check)
    with web.Workspace("first") as place:
        place.start()
        check(web.Client(place.port).get("/api/v1/session").json()["setup"] is True, "without users the page is told so")
    with web.Workspace("filled") as place:
        place.plant_work()
        place.start()
        client = web.Client(place.port, "admin")
        client.post("/api/v1/tokens", {"name": "a token", "scopes": "read"})
        document = shapes(check, place.port, client, coin=True)
        by_library(check, document, client, coin=True)
        traced(check, place, client)
        figures(check, client)
        feedback(check, place)
        export(check, place)
        live(check, client, place)
    if "--alone" not in sys.argv:
        daemon(check)
    check.end()


main()
