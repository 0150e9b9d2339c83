// The frame: who is logged in, where one is, what changed meanwhile.

import { get, maybe, post } from "./api.js";
import { h, s } from "./dom.js";
import { as, num, serverNow, setServerNow } from "./format.js";
import { chooseLanguage, language, startLanguage, t } from "./text.js";
import { today } from "./page_today.js";
import { matrix } from "./page_matrix.js";
import { coin, coins } from "./page_coin.js";
import { data } from "./page_data.js";
import { models } from "./page_models.js";
import { jobs, alerts, audit } from "./page_work.js";
import { account } from "./page_account.js";

// Pages load what they need, then draw it. `role`: least that sees the place at all.
const places = [
  { path: "", name: "today", page: today },
  { path: "matrix", name: "matrix", page: matrix },
  { path: "coins", name: "coins", page: coins },
  { path: "coin", page: coin, under: "coins" },
  { path: "data", name: "data", page: data },
  { path: "models", name: "models", page: models },
  { path: "jobs", name: "jobs", page: jobs },
  { path: "alerts", name: "alerts", page: alerts },
  { path: "audit", name: "audit", page: audit, role: "operator" },
  { path: "account", name: "account", page: account },
];
const ranks = { viewer: 1, operator: 2, admin: 3 };

const app = document.getElementById("app");
const state = { session: null, frame: null, drawn: "", events: null, turn: 0 };

export const may = (role) => state.session && ranks[state.session.role] >= ranks[role];

/* ---- theme and words ---- */

function startTheme() {
  let kept = null;
  try { kept = localStorage.getItem("theme"); } catch { /* a browser may forbid it */ }
  if (kept) document.documentElement.dataset.theme = kept;
}
function toggleTheme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", document.documentElement.dataset.theme); } catch { /* the same */ }
}
function toggleLanguage() {
  chooseLanguage(language() === "en" ? "nl" : "en");
  state.frame = null;
  state.session && state.session.user ? show() : login();
}
const choices = () => h("div", { class: "row" },
  h("button", { class: "link", onclick: toggleTheme }, t("theme")),
  h("button", { class: "link", lang: language() === "en" ? "nl" : "en", onclick: toggleLanguage }, language() === "en" ? "Nederlands" : "English"));

const brand = () => h("a", { class: "brand", href: "#/" },
  s("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, s("rect", { width: 32, height: 32, rx: 7, fill: "#1a5f9e" }),
    s("path", { d: "M6 22l7-8 5 4 8-10", fill: "none", stroke: "#fff", "stroke-width": 3, "stroke-linecap": "round", "stroke-linejoin": "round" })), "cryptosmart");

export function tell(text) {
  const toast = document.querySelector(".toast");
  if (!toast) return;
  toast.textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { toast.textContent = ""; }, 6000);
}

/* ---- login ---- */

function login(message) {
  stopEvents();
  state.frame = null;
  document.title = t("log in") + " · cryptosmart";
  const failed = h("p", { class: "error", role: "alert" }, message || "");
  const user = h("input", { id: "user", name: "username", autocomplete: "username", required: true, maxlength: 32, autocapitalize: "none" });
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 1024 });
  const submit = async (event) => {
    event.preventDefault();
    failed.textContent = "";
    try {
      state.session = await post("login", { user: user.value, password: password.value });
      show();
    } catch (error) {
      failed.textContent = error.status === 401 ? t("wrong login") : error.message;
      password.value = "";
      password.focus();
    }
  };
  const first = state.session && state.session.setup;
  app.replaceChildren(h("main", { class: "login" }, brand(), first
    ? [h("h1", {}, t("no user yet")), h("p", {}, t("first start")), h("pre", {}, "cryptosmartd --workspace DIR user add NAME admin"),
      h("p", { class: "small soft" }, t("first start then")), h("p", {}, h("button", { class: "main", onclick: begin }, t("look again")))]
    : [h("h1", {}, t("log in")), h("form", { onsubmit: submit }, h("label", { for: "user" }, t("user")), user,
      h("label", { for: "password" }, t("password")), password, failed, h("button", { class: "main", type: "submit" }, t("log in")))],
  h("div", { class: "who" }, choices())));
  if (!first) user.focus();
}

async function logout() {
  try { await post("logout"); } catch { /* the session is over either way */ }
  begin();
}

/* ---- frame ---- */

function makeFrame() {
  const list = places.filter((p) => p.name && (!p.role || may(p.role))).map((p) => h("li", {}, h("a", { href: "#/" + p.path, "data-place": p.path }, t(p.name), h("span", { class: "count", "data-count": p.path }))));
  const main = h("main", { id: "main" });
  const health = h("div", { class: "health", role: "region", "aria-label": t("health") });
  const content = h("div", { id: "content" });
  main.append(health, content);
  app.replaceChildren(h("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); focusHeading(); } }, t("skip")),
    h("div", { class: "frame" }, h("header", { class: "side" }, brand(), h("nav", { "aria-label": t("places") }, h("ul", {}, list)),
      h("div", { class: "who" }, h("div", {}, state.session.user, " ", h("span", { class: "soft" }, t("role " + state.session.role))),
        h("div", { class: "row" }, h("button", { class: "link", onclick: logout }, t("log out"))), choices())), main),
    h("div", { class: "toast", role: "status", "aria-live": "polite" }));
  state.frame = { content, health };
  state.drawn = "";
}

function focusHeading() {
  const heading = state.frame.content.querySelector("h1");
  if (heading) { heading.tabIndex = -1; heading.focus(); }
}

const word = (style, text) => h("span", { class: "state " + style }, text);

function drawHealth(found, status, gate, alerts) {
  const parts = found ? found.parts : [];
  const score = h("div", { class: "score" }, h("span", {}, t("health")), h("b", {}, found && found.score !== null ? num(found.score, "two", found.from, "score") : "–"),
    found && found.score === null && found.available !== null ? h("span", { class: "soft" }, t("of what is known"), " ", num(found.available, "two", found.from, "available")) : null);
  const list = h("ul", { class: "parts" }, parts.map((p) => {
    const said = `${t("part " + p.name)}: ${p.value === null ? t("unknown") : as.two(p.value)}. ${p.text}`;
    const fill = p.value === null ? h("span", { class: "unknown" }) : h("span", { class: "fill" });
    if (p.value !== null) fill.style.width = `${100 * p.value}%`;
    return h("li", { class: "w" + Math.round(100 * p.weight), title: said }, fill, h("span", { class: "hidden" }, said));
  }));
  const age = status && status.last ? (serverNow() - Date.parse(status.last)) / 3600e3 : Infinity;
  const own = gate && gate.horizons[0];
  const open = alerts ? alerts.alerts.filter((a) => !a.cleared).length : 0;
  state.frame.health.replaceChildren(score, list, h("div", { class: "states" },
    word(!status || !status.last ? "idle" : age < 3 ? "good" : "bad", !status || !status.last ? t("no data yet") : age < 3 ? t("collecting") : t("data is old")),
    word(status && status.trained ? "good" : "idle", status && status.trained ? t("model trained") : t("no model")),
    own ? word(own.open ? "good" : "idle", own.open ? (own.trade ? t("gate open") : t("gate shows")) : t("gate shut")) : null,
    word(open ? "bad" : "good", open ? t("open alerts", { n: as.count(open) }) : t("no alerts"))));
  const badge = document.querySelector('[data-count="alerts"]');
  if (badge) badge.textContent = open ? as.count(open) : "";
}

function whereAmI() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  return { place: places.find((p) => p.path === parts[0]) || places[0], rest: parts.slice(1) };
}

// moved: the reader went somewhere; otherwise something changed, and the page is drawn again only where it differs.
async function show(moved = true) {
  const turn = ++state.turn, { place, rest } = whereAmI();
  delete document.body.dataset.ready;
  if (!state.frame) makeFrame();
  startEvents();
  for (const link of document.querySelectorAll("[data-place]")) {
    if (link.dataset.place === (place.under || place.path)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const busy = setTimeout(() => state.frame.content.classList.add("busy"), moved ? 250 : 1e6);
  try {
    const [loaded, ...bar] = await Promise.all([place.page.load(rest, state.session), maybe("health"), maybe("status"), maybe("gate"), maybe("alerts")]);
    if (turn !== state.turn) return; // the reader has gone on
    drawHealth(...bar);
    const drawn = location.hash + language() + JSON.stringify(loaded);
    if (drawn === state.drawn) return;
    const top = window.scrollY;
    state.frame.content.replaceChildren(...[place.page.draw(loaded, { session: state.session, may, tell, again: () => show(false), rest })].flat(9).filter(Boolean));
    state.drawn = drawn;
    const heading = state.frame.content.querySelector("h1");
    document.title = (heading ? heading.textContent + " · " : "") + "cryptosmart";
    window.scrollTo(0, moved ? 0 : top);
    if (moved) focusHeading();
  } catch (error) {
    if (turn !== state.turn) return;
    if (error.status === 401) return begin();
    state.drawn = "";
    state.frame.content.replaceChildren(h("div", { class: "head" }, h("h1", {}, t("cannot show")), h("p", { class: "note bad", role: "alert" }, error.message)));
  } finally {
    clearTimeout(busy);
    if (turn === state.turn && state.frame) state.frame.content.classList.remove("busy");
    if (turn === state.turn) document.body.dataset.ready = location.hash || "#/";
  }
}

/* ---- events ---- */

function startEvents() {
  if (state.events) return;
  state.events = new EventSource("/api/v1/events");
  let waiting = null;
  const changed = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => state.frame && show(false), 250 + Math.random() * 500);
  };
  state.events.addEventListener("view", changed);
  state.events.addEventListener("change", changed);
}
function stopEvents() {
  if (state.events) state.events.close();
  state.events = null;
}

/* ---- start ---- */

async function begin() {
  stopEvents();
  state.frame = null;
  try {
    state.session = await get("session");
    setServerNow(state.session.now);
  } catch (error) {
    app.replaceChildren(h("main", { class: "login" }, brand(), h("p", { class: "error", role: "alert" }, error.message)));
    return;
  }
  if (state.session.user) show();
  else login();
}

startLanguage();
startTheme();
window.addEventListener("hashchange", () => state.session && state.session.user && show());
begin();
