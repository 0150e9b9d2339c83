# SPDX-License-Identifier: MIT
"""The dashboard in headless Chromium, driven like a user: log in, table, coin page, mark, export, trigger, log out; a viewer is refused
where it should be; every state, theme, language and width; accessibility. Screenshots stay in build/dashboard/."""
import re
import shutil
import subprocess
import sys

import web

WIDTHS = {"wide": (1280, 900), "phone": (390, 844)}
PLACES = ["", "matrix", "coins", "coin/binance/AAVE/USDT", "data", "models", "jobs", "alerts", "audit", "account"]

# The main rules of WCAG 2.1 AA that a program can check, on the page as it is drawn.
RULES = r"""
() => {
  const found = [], visible = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden";
  const say = (rule, e) => found.push(rule + ": " + (e.outerHTML || String(e)).slice(0, 140));
  const name = (e) => (e.getAttribute("aria-label") || (e.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id)?.textContent || "").join(" ") ||
    (e.labels && e.labels.length ? e.labels[0].textContent : "") || e.textContent || e.getAttribute("title") || "").trim();
  if (!document.documentElement.lang) say("the page has a language", document.documentElement);
  if (!document.title) say("the page has a title", document.documentElement);
  if (document.querySelectorAll("main").length !== 1) say("the page has one main part", document.body);
  const headings = [...document.querySelectorAll("h1,h2,h3,h4")].filter(visible);
  if (headings.filter((e) => e.tagName === "H1").length !== 1) say("the page has one first heading", document.body);
  headings.reduce((before, e) => { const level = Number(e.tagName[1]); if (level > before + 1) say("headings skip no level", e); return level; }, 0);
  for (const e of document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=img], [role=region]")) if (visible(e) && !name(e)) say("it has a name", e);
  for (const e of document.querySelectorAll("input, select, textarea")) if (visible(e) && !(e.labels && e.labels.length) && !e.getAttribute("aria-label")) say("a field has a label", e);
  for (const e of document.querySelectorAll("table")) { if (!e.caption) say("a table has a caption", e); if (!e.querySelector("thead th[scope=col]")) say("a table has column headers", e); }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => say("an id stands once", id));
  for (const e of document.querySelectorAll("[aria-labelledby],[aria-describedby]")) for (const a of ["aria-labelledby", "aria-describedby"])
    for (const id of (e.getAttribute(a) || "").split(" ").filter(Boolean)) if (!document.getElementById(id)) say("what describes it is there", e);
  for (const e of document.querySelectorAll(".scroll")) if (e.scrollWidth > e.clientWidth && e.tabIndex < 0) say("what scrolls can be reached by key", e);
  for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) say("the order of focus is that of the page", e);

  const parse = (text) => { const m = text.match(/[\d.]+/g).map(Number); return { r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1 }; };
  const over = (top, below) => ({ r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1 });
  const behind = (e) => { const stack = []; for (let n = e; n && n.nodeType === 1; n = n.parentElement) stack.push(parse(getComputedStyle(n).backgroundColor));
    return stack.reverse().reduce((below, top) => over(top, below), parse(getComputedStyle(document.body).backgroundColor)); };
  const light = (c) => { const f = [c.r, c.g, c.b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !visible(e) || e.closest(".hidden, noscript, [aria-hidden=true], title, desc, button:disabled")) continue;
    const style = getComputedStyle(e), svg = e.namespaceURI.endsWith("svg"), below = behind(svg ? e.closest("svg").parentElement : e);
    let opacity = 1; for (let n = e; n && n.nodeType === 1; n = n.parentElement) opacity *= Number(getComputedStyle(n).opacity);
    const ink = parse(svg ? style.fill : style.color), front = over({ ...ink, a: ink.a * opacity }, below);
    const [high, low] = [light(front), light(below)].sort((a, b) => b - a), ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}`, e);
  }
  if (document.documentElement.scrollWidth > window.innerWidth + 1) say("nothing lies beyond the page's edge", document.documentElement);
  return [...new Set(found)];
}
"""

# Every number in a panel says where it comes from.
LOOSE = r"""
() => {
  const loose = [], walker = document.createTreeWalker(document.querySelector("#content"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!/^[-+\u2212\u2265]?\s*\d[\d.,\s]*%?$/.test(node.textContent.trim())) continue;
    if (e.closest("[data-from], time, code, svg, summary .count, .legend")) continue;
    loose.push(node.textContent.trim() + " in " + e.outerHTML.slice(0, 100));
  }
  return loose;
}
"""


class Browser:
    def __init__(self, playwright, check, folder):
        self.check = check
        self.folder = folder
        self.chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])

    def page(self, port, width="wide", scheme="light", language="en-GB"):
        context = self.chromium.new_context(viewport={"width": WIDTHS[width][0], "height": WIDTHS[width][1]}, color_scheme=scheme, locale=language, accept_downloads=True)
        page = context.new_page()
        page.on("pageerror", lambda error: self.check(False, f"an error in the page: {error}"))
        page.on("console", lambda message: self.check("Content Security Policy" not in message.text, f"the policy refuses something: {message.text}"))
        page.goto(f"http://127.0.0.1:{port}/")
        return page

    def log_in(self, page, user):
        page.fill("#user", user)
        page.fill("#password", web.password_of(user))
        page.press("#password", "Enter")
        page.wait_for_selector("body[data-ready]")

    def go(self, page, place):
        page.evaluate("(place) => { if (location.hash !== '#/' + place) { delete document.body.dataset.ready; location.hash = '#/' + place; } }", place)
        page.wait_for_selector(f"body[data-ready='#/{place}']")

    def look(self, page, name):
        """A screenshot, and what the rules say."""
        page.screenshot(path=str(self.folder / f"{name}.png"), full_page=True)
        found = page.evaluate(RULES)
        self.check(not found, f"{name} is accessible: {found[:4]}")


def numbers(check, page, name):
    shown = page.evaluate("() => [...document.querySelectorAll('#content [data-from]')].filter(e => e.dataset.value).map(e => [e.dataset.from, e.dataset.value, e.dataset.format, e.textContent])")
    for source, value, form, text in shown:
        check(re.match(r"^[a-z_]+(/|#|$)", source), f"{name}: {text} names its row: {source}")
        if form in ("count", "percent", "one", "two") and re.search(r"\d", text):
            read = float(re.sub(r"[^\d.\-]", "", text.replace("\u2212", "-")))
            wanted = float(value) * (100 if form == "percent" else 1)
            check(abs(read - wanted) <= 0.051 * (10 if form == "count" else 1), f"{name}: {text} shows {value}")
    check(not page.evaluate(LOOSE), f"{name}: numbers without a row: {page.evaluate(LOOSE)[:3]}")
    return len(shown)


def as_operator(browser, check, place):
    page = browser.page(place.port)
    check(page.locator("h1").inner_text() == "Log in", "one has to log in")
    page.fill("#user", "operator")
    page.fill("#password", "wrong")
    page.press("#password", "Enter")
    page.wait_for_selector(".error:not(:empty)")
    check("Wrong" in page.locator(".error").inner_text(), "a wrong password is told")
    browser.log_in(page, "operator")
    check(page.locator("h1").inner_text().startswith("Coins that pass"), "the table is what one sees first")
    check(page.locator("table.shown tbody tr").count() == 8, "every coin that passes is there")
    page.locator("button[title='Mark as right']").first.click()
    page.wait_for_selector("button[title='Mark as right'][aria-pressed=true]")
    check(place.database("SELECT count(*) FROM feedback", name="catalog.db")[0][0] == 1, "a mark is a row of the catalogue")
    with page.expect_download() as download:
        page.get_by_text("Export the ledger (CSV)").click()
    check(open(download.value.path(), encoding="utf-8").read().startswith("row,coin,market"), "the ledger is exported")
    page.locator("table.shown tbody th a").first.click()
    page.wait_for_selector("text=What was said before")
    check(page.locator("figure svg").count() == 2, "the coin's page draws price and explanation")
    browser.go(page, "jobs")
    page.get_by_label("Run now: learn").click()
    page.wait_for_selector(".toast:has-text('learn was asked to run')")
    page.get_by_role("button", name="Log", exact=True).first.click()
    page.wait_for_selector("pre.log")
    check("a line of the log" in page.locator("pre.log").inner_text(), "a run's log is shown")
    browser.go(page, "alerts")
    page.get_by_label("Put aside: missing coins").click()
    page.wait_for_selector("text=operator")
    browser.go(page, "audit")
    check("job run" in page.locator("table").inner_text(), "the trail knows")
    page.get_by_text("Log out").click()
    page.wait_for_selector("#user")
    check(not page.context.cookies(), "after the logout no cookie is left")
    page.context.close()


def as_viewer(browser, check, place):
    page = browser.page(place.port)
    browser.log_in(page, "viewer")
    check(page.locator("[data-place=audit]").count() == 0, "a viewer is not shown the trail")
    check(page.locator("button[title='Mark as right']").count() == 0, "nor marks")
    browser.go(page, "jobs")
    check(page.locator("text=Run now").count() == 0, "nor triggers")
    browser.go(page, "audit")
    check("cannot be shown" in page.locator("h1").inner_text(), "who asks all the same is refused")
    status = page.evaluate("async () => (await fetch('/api/v1/jobs/learn/run', {method: 'POST'})).status")
    check(status == 403, "and so is a request of one's own")
    page.context.close()


def by_keys(browser, check, place):
    page = browser.page(place.port)
    browser.log_in(page, "viewer")
    page.keyboard.press("Tab")
    seen = []
    for _ in range(14):
        seen.append(page.evaluate("() => (document.activeElement.textContent || '').trim().slice(0, 20)"))
        if page.evaluate("() => document.activeElement === document.body"):
            page.keyboard.press("Tab")
            continue
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        check(outline != "none", f"focus is seen on {seen[-1]}")
        page.keyboard.press("Tab")
    page.focus("[data-place=matrix]")
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-ready='#/matrix']")
    check(page.evaluate("() => document.activeElement.tagName") == "H1", "after going somewhere the reader is at its heading")
    page.context.close()


def everything(browser, check, place, state, places):
    total = 0
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            page = browser.page(place.port, width, scheme)
            browser.log_in(page, "admin")
            for where in places:
                browser.go(page, where)
                browser.look(page, f"{state}-{where.split('/')[0] or 'today'}-{width}-{scheme}")
                if width == "wide" and scheme == "light":
                    total += numbers(check, page, f"{state} {where or 'today'}")
            page.context.close()
    return total


def first_start(browser, check):
    with web.Workspace("first") as place:
        place.start()
        for width in WIDTHS:
            page = browser.page(place.port, width, "dark" if width == "phone" else "light")
            page.wait_for_selector("h1")
            check("Nobody can log in yet" in page.locator("h1").inner_text(), "a first start tells how to begin")
            browser.look(page, f"first-{width}")
            page.context.close()


def dutch(browser, check, place):
    page = browser.page(place.port, language="nl-NL")
    check(page.locator("h1").inner_text() == "Inloggen" and page.evaluate("() => document.documentElement.lang") == "nl", "the reader's language is spoken")
    browser.log_in(page, "viewer")
    browser.look(page, "filled-today-dutch")
    page.get_by_role("button", name="English").click()
    page.wait_for_selector("text=Coins that pass")
    page.get_by_role("button", name="Light or dark").click()
    check(page.evaluate("() => document.documentElement.dataset.theme") == "dark", "the theme can be chosen")
    page.context.close()


def main():
    web.built()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("skipped: playwright is not installed")
        return 77
    if not shutil.which("chromium"):
        print("skipped: there is no chromium")
        return 77
    folder = web.SOURCE / "build" / "dashboard"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    check = web.Checks()
    with sync_playwright() as playwright:
        browser = Browser(playwright, check, folder)
        first_start(browser, check)
        with web.Workspace("filled") as place:
            place.plant_work()
            place.start()
            as_operator(browser, check, place)
            as_viewer(browser, check, place)
            by_keys(browser, check, place)
            dutch(browser, check, place)
            total = everything(browser, check, place, "filled", PLACES)
            check(total > 500, f"{total} numbers on the panels name their rows")
        with web.Workspace("empty") as place:
            place.start()
            everything(browser, check, place, "empty", ["", "matrix"])
        with web.Workspace("empty") as place:  # months later nothing has come in: everything is old, an alert stands, a job fails
            place.plant_work()
            place.database("UPDATE job_runs SET state = 'failed', ended = started + 1, text = 'Could not resolve host'")
            place.start("2024-03-01T00:00:00Z")
            everything(browser, check, place, "degraded", ["", "jobs", "data"])
        with web.Workspace("bare") as place:
            place.start()
            everything(browser, check, place, "bare", ["", "data", "models", "jobs", "coins"])
        browser.chromium.close()
    print(f"screenshots: {len(list(folder.glob('*.png')))} in build/dashboard/, {subprocess.run(['chromium', '--version'], capture_output=True, text=True, check=False).stdout.strip()}")
    check.end()
    return 0


sys.exit(main())
