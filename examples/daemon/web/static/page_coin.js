// All of one coin: forecasts, price with its states, features, explanation, and what the ledger says of it.

import { get, maybe } from "./api.js";
import { price, waterfall } from "./charts.js";
import { Cell, h, table } from "./dom.js";
import { coinLink, evidence, horizonName, num, of, reason, time } from "./format.js";
import { marks } from "./page_today.js";
import { t } from "./text.js";

const hours = { "7d": 168, "30d": 720, "90d": 2160 };
let shownSpan = "30d";

function forecasts(d) {
  if (!d.forecasts.length) return h("section", {}, h("h2", {}, t("forecasts")), h("p", { class: "soft" }, t("no forecast of coin")));
  const rows = d.forecasts.map((f) => [horizonName(f.horizon), of(f, "expected_return", "change"), new Cell([of(f, "low", "change"), " … ", of(f, "high", "change")], "soft"),
    of(f, "probability", "percent"), of(f, "lower", "percent"), of(f, "cost", "change"), evidence(f.evidence), new Cell(f.reasons.length ? f.reasons.map((r, i) => [i ? ", " : "", h("span", { title: r }, reason(r))]) : t("passes"), "wrap")]);
  return h("section", {}, h("h2", {}, t("forecasts")), h("p", { class: "small soft" }, t("decision of"), " ", time(d.forecasts[0].decision), " UTC"),
    table(t("forecasts"), [[t("horizon")], [t("expected"), "n"], [t("interval"), "n"], [t("probability"), "n"], [t("lower bound"), "n"], [t("costs"), "n"], [t("evidence")], [t("against"), "wrap"]], rows, "full"));
}

function chart(bars, host) {
  const buttons = Object.keys(hours).map((name) => h("button", { "aria-pressed": String(name === shownSpan), onclick: () => { shownSpan = name; host.again(); } }, horizonName(name)));
  return h("section", {}, h("h2", {}, t("price")), h("div", { class: "tools", role: "group", "aria-label": t("span") }, buttons), bars ? price(bars) : h("p", { class: "soft" }, t("no bars")),
    bars ? h("p", { class: "small soft" }, t("source"), ": ", bars.source) : null);
}

function features(f) {
  if (!f) return h("section", {}, h("h2", {}, t("features")), h("p", { class: "soft" }, t("no features")));
  const groups = new Map();
  for (const x of f.features) groups.set(x.group, [...(groups.get(x.group) || []), x]);
  return h("section", {}, h("h2", {}, t("features")), h("p", { class: "small soft" }, t("features text", { recipe: f.recipe }), " ", time(f.time), " UTC"),
    [...groups].map(([name, list]) => h("details", {}, h("summary", {}, t("group " + name), h("span", { class: "count" }, String(list.length))),
      table(t("group " + name), [[t("feature")], [t("value"), "n"], [t("memory"), "n"], [t("meaning"), "wrap"]],
        list.map((x) => [x.name, num(x.value, "figure", f.from, x.name), num(x.memory, "count", f.from, x.name + ".memory"), new Cell(h("span", { lang: "en" }, x.text), "wrap soft")])))));
}

function explanation(e) {
  return h("section", {}, h("h2", {}, t("why")), e && e.contributions.length ? waterfall(e) : h("p", { class: "soft" }, t("no explanation")));
}

function history(d, host) {
  const rows = d.ledger.map((e) => [time(e.decision), of(e, "probability", "percent"), of(e, "expected_return", "change"), e.shown ? t("yes") : t("no"),
    e.outcome === "known" ? of(e, "log_return", "change") : new Cell(t("outcome " + e.outcome), "soft"), e.outcome === "known" ? (e.rises ? t("rose") : t("did not rise")) : "", new Cell(marks(host, e)),
    h("code", {}, e.from)]);
  return h("section", {}, h("h2", {}, t("ledger")), h("p", { class: "small soft" }, t("ledger text")), rows.length ? table(t("ledger"), [[t("decision")], [t("probability"), "n"], [t("expected"), "n"], [t("shown")],
    [t("happened"), "n"], [t("outcome")], [t("your verdict")], [t("row")]], rows, "full") : h("p", { class: "soft" }, t("no ledger rows")));
}

export const coin = {
  load: async ([venue, base, quote]) => {
    const path = `coins/${venue}/${base}/${quote}`;
    const [d, bars, f, e] = await Promise.all([get(path), maybe(`${path}/bars?count=${hours[shownSpan]}`), maybe(`${path}/features`), maybe(`${path}/explanation`)]);
    return { d, bars, f, e };
  },
  draw: ({ d, bars, f, e }, host) => [h("div", { class: "head" }, h("h1", {}, d.coin), h("p", { class: "lede" }, d.market, " · ", d.status,
    d.delisted ? [" · ", t("delisted"), " ", time(d.delisted, "day")] : null, " · ", t("listed"), " ", time(d.listed, "day")),
  d.excluded.length ? h("p", { class: "note" }, t("excluded"), ": ", d.excluded.map(reason).join(", ")) : null),
  forecasts(d), chart(bars, host), explanation(e), features(f), history(d, host)],
};

let wanted = "";
export const coins = {
  load: () => get("coins"),
  draw: (d) => {
    const place = h("div", {});
    const draw = () => {
      const found = d.coins.filter((c) => (c.coin + c.market).toLowerCase().includes(wanted));
      place.replaceChildren(table(t("coins"), [[t("coin")], [t("market")], [t("state")], [t("modelled")], [t("excluded because"), "wrap"]], found.slice(0, 400).map((c) => ({
        class: c.excluded.length ? "idle" : null, cells: [coinLink(c), c.market, c.status, c.canonical && !c.excluded.length ? t("yes") : t("no"), new Cell(c.excluded.map(reason).join(", "), "wrap")] })), "full"));
    };
    const field = h("input", { id: "find", type: "search", value: wanted, oninput: (e) => { wanted = e.target.value.toLowerCase(); draw(); } });
    draw();
    return [h("div", { class: "head" }, h("h1", {}, t("coins")), h("p", { class: "lede" }, t("coins text"))), h("label", { for: "find" }, t("find")), field, place];
  },
};
