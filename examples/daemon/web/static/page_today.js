// The table of what is worth looking at; or that nothing is, why, and what is waited for.

import { get, maybe, post } from "./api.js";
import { bar, spark } from "./charts.js";
import { Cell, h, table } from "./dom.js";
import { ago, as, coinLink, evidence, horizonName, num, of, reason, time } from "./format.js";
import { t } from "./text.js";

function headline(data) {
  const p = data.prediction;
  const when = p ? [t("decision of"), " ", time(p.decision), " UTC. "] : [];
  const words = {
    opportunities: () => [t("some opportunities", { n: as.count(data.rows.length) }), [...when, t("shown of", { shown: as.count(data.rows.length) }), " ", of(p, "coins", "count"), " ", t("coins looked at"), "."]],
    none: () => [t("no opportunities"), [...when, of(p, "coins", "count"), " ", t("none passes"), "."]],
    no_prediction: () => [t("nothing predicted"), [t("nothing predicted text")]],
    no_model: () => [t("nothing learnt"), [t("nothing learnt text")]],
  }[data.verdict]();
  return h("div", { class: "head" }, h("h1", {}, words[0]), h("p", { class: "lede" }, words[1]),
    p && p.backfill ? h("p", { class: "note" }, t("backfill note")) : null);
}

function why(row, gate) {
  const own = row.horizons[gate];
  const list = (own && own.contributions) || [];
  if (!list.length) return new Cell(h("span", { class: "none" }, t("on the coin's page")), "reasons");
  return new Cell(list.slice(0, 3).map((c) => h("small", {}, c.feature, " ", num(c.contribution, "slight", own.from, "text." + c.feature))), "reasons");
}

function live(row) {
  if (!row.live) return new Cell(h("span", { class: "none" }, t("n/a")));
  return new Cell([num(row.live.close, "price", row.live.from, "close"), spark(row.live.closes),
    h("small", {}, row.last_update ? ago(row.last_update.time) : t("n/a"))]);
}

async function mark(host, row, verdict) {
  try {
    await post(`ledger/${row.from.split("/")[1]}/feedback`, { verdict });
    host.tell(t("marked " + verdict));
    host.again();
  } catch (error) {
    host.tell(error.message);
  }
}
export function marks(host, row) {
  if (!host.may("operator")) return "";
  const button = (verdict, sign) => h("button", { class: "icon", "aria-pressed": String(row.verdict === verdict), title: t("mark " + verdict),
    "aria-label": `${t("mark " + verdict)}: ${row.coin}`, onclick: () => mark(host, row, row.verdict === verdict ? "withdrawn" : verdict) }, sign);
  return [button("right", "✓"), " ", button("wrong", "✗")];
}

function shown(data, host) {
  if (!data.rows.length) return null;
  const gate = data.gate_horizon;
  const columns = [[t("coin")], ...data.horizons.map((name) => [t("expected") + " " + horizonName(name), "n"]), [t("probability and bound"), "n"], [t("evidence")], [t("price"), "n"],
    [t("why")], ...(host.may("operator") ? [[t("your verdict")]] : [])];
  const rows = data.rows.map((row) => {
    const own = row.horizons[gate];
    return [[coinLink(row), h("small", {}, row.market)],
      ...data.horizons.map((name) => {
        const f = row.horizons[name];
        if (!f) return t("n/a");
        return name !== gate ? of(f, "expected_return", "change") : [h("span", { class: "main-number" }, of(f, "expected_return", "change")),
          h("small", {}, of(f, "low", "change"), " … ", of(f, "high", "change"))];
      }), [h("span", { class: "main-number" }, of(own, "probability", "percent")), h("small", {}, "≥ ", of(own, "lower", "percent"))], evidence(own.evidence), live(row), why(row, gate), ...(host.may("operator") ? [new Cell(marks(host, own))] : [])];
  });
  return h("section", { "aria-label": t("table") }, table(t("table"), columns, rows, "shown full"),
    h("p", { class: "small soft" }, t("claim")));
}

function funnel(data) {
  const total = data.prediction ? data.prediction.coins : 0;
  if (!total) return null;
  const steps = data.funnel.steps.map((s) => h("li", { class: s.failed ? null : "idle" }, h("span", {}, reason(s.reason)), bar(s.failed / total),
    num(s.failed, "count", data.funnel.from, s.reason)));
  return h("section", {}, h("h2", {}, t("why not")), h("p", { class: "small soft" }, t("funnel text")), h("ul", { class: "funnel" }, steps));
}

function clock(label, had, needed, from, key, neededKey) {
  if (had === undefined) return null;
  const full = had !== null && had >= needed;
  return h("li", {}, h("div", { class: "line" }, h("span", {}, label), h("span", { class: "num" }, num(had, "one", from, key), " / ", num(needed, "one", from, neededKey), " ", t("weeks"))),
    bar(had === null ? 0 : had / needed, full ? "good" : ""));
}

function waits(gate) {
  const own = gate && gate.horizons[0];
  if (!own) return null;
  const blocksHad = own.blocks_needed - own.blocks_missing;
  return h("section", {}, h("h2", {}, t("gate waits")), h("p", { class: "small soft" }, own.open ? t("gate is open") : t("gate is shut", { horizon: horizonName(own.horizon) })),
    h("ul", { class: "waits" },
      clock(t("live clock"), own.live_weeks, own.live_weeks_needed, own.from, "live_weeks", "live_weeks_needed"),
      clock(t("history clock"), own.history_weeks, own.history_weeks_needed, own.from, "history_weeks", "history_weeks_needed"),
      own.blocks_needed ? h("li", {}, h("div", { class: "line" }, h("span", {}, t("evidence blocks"), " ", evidence(own.evidence)),
        h("span", { class: "num" }, num(own.blocks_missing, "one", own.from, "blocks_missing"), " ", t("missing of"), " ", num(own.blocks_needed, "one", own.from, "blocks_needed"))),
      bar(blocksHad / own.blocks_needed, blocksHad >= own.blocks_needed ? "good" : "")) : null,
      h("li", {}, h("div", { class: "line" }, h("span", {}, t("live outcomes")), h("span", { class: "num" }, of(own, "outcomes", "count"), " ", t("matured"), ", ", of(own, "pending", "count"), " ", t("pending")))),
      own.alarms ? h("li", {}, h("div", { class: "line" }, h("span", { class: "fall" }, t("drift alarms")), of(own, "alarms", "count"))) : null),
    own.lines.length ? h("details", {}, h("summary", {}, t("gate in words"), h("span", { class: "count" }, as.count(own.lines.length))), h("ul", {}, own.lines.map((l) => h("li", { class: "small", lang: "en" }, l)))) : null);
}

const exports_ = () => h("div", { class: "tools" }, h("a", { class: "button", href: "/api/v1/ledger?format=csv", download: "ledger.csv" }, t("export csv")),
  h("a", { class: "button", href: "/api/v1/ledger?format=json", download: "ledger.json" }, t("export json")));

export const today = {
  load: async () => ({ ranking: await get("ranking"), gate: await maybe("gate") }),
  draw: (d, host) => [headline(d.ranking), shown(d.ranking, host), h("div", { class: "split" }, funnel(d.ranking), waits(d.gate)), exports_()],
};
