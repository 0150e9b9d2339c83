// Coverage: everything offered is processed or excluded with a reason. Sources: what was received, and how old it is.

import { get, maybe } from "./api.js";
import { bar } from "./charts.js";
import { h, table } from "./dom.js";
import { ago, num, of, reason, time } from "./format.js";
import { t } from "./text.js";

function equation(run, unit) {
  const c = run[unit];
  const from = run.from;
  return h("p", { class: "lede" }, num(c.offered, "count", from, unit + "_offered"), " ", t("offered"), " = ", num(c.processed, "count", from, unit + "_processed"), " ", t("processed"), " + ",
    num(c.excluded, "count", from, unit + "_excluded"), " ", t("left out"));
}

function coverage(run) {
  const reasons = Object.entries(run.pairs.by_reason).sort((a, b) => b[1] - a[1]);
  return h("section", {}, h("h2", {}, t("coverage of", { venue: run.venue })), h("p", { class: "small soft" }, t("listing of"), " ", time(run.time), " UTC · ", t("run"), " ", h("code", {}, run.from)),
    h("div", { class: "split" }, h("div", {}, h("h3", {}, t("pairs")), equation(run, "pairs"), h("ul", { class: "funnel" }, reasons.map(([name, n]) => h("li", {}, h("span", {}, reason(name)), bar(n / run.pairs.offered),
      num(n, "count", run.from, "pairs." + name))))), h("div", {}, h("h3", {}, t("coins")), equation(run, "coins"), h("p", { class: "small soft" }, t("listing hash"), " ", h("code", {}, run.listing_hash.slice(0, 16))))));
}

export const data = {
  load: async () => {
    const [c, s, work] = await Promise.all([get("coverage"), get("sources"), maybe("jobs")]);
    // each source is fetched by a job of its own
    const jobs = Object.fromEntries(((work && work.jobs) || []).map((j) => [j.name.replace("ingest.", ""), j]));
    return { c, s, jobs: Object.fromEntries(s.sources.map((x) => [x.name, jobs[x.name] || null])) };
  },
  draw: ({ c, s, jobs }) => [h("div", { class: "head" }, h("h1", {}, t("data")), c.runs.length ? null : h("p", { class: "lede" }, t("nothing discovered"))),
    c.runs.map(coverage),
    h("section", {}, h("h2", {}, t("missing coins")), c.missing.length ? h("p", { class: "note bad" }, t("missing text"), " ", c.missing.map((m) => m.coin).join(", ")) : h("p", { class: "soft" }, t("nothing missing"))),
    h("section", {}, h("h2", {}, t("received")), s.streams.length ? table(t("received"), [[t("kind")], [t("venue")], [t("interval")], [t("streams"), "n"], [t("rows"), "n"], [t("newest")], [t("source")]],
      s.streams.map((x) => [t("kind " + x.kind), x.venue, x.interval, of(x, "streams", "count"), of(x, "rows", "count"), ago(x.last), x.source]), "full") : h("p", { class: "soft" }, t("nothing received"))),
    h("section", {}, h("h2", {}, t("sources")), table(t("sources"), [[t("source")], [t("title")], [t("kind")], [t("feeds")], [t("state")], [t("last success")], [t("failures"), "n"]],
      s.sources.map((x) => ({ class: x.configured ? null : "idle", cells: [x.name, x.title, t("kind " + x.kind), t("group " + x.group),
        h("span", { class: "state " + (x.latched ? "bad" : x.configured ? "good" : "idle") }, x.latched ? t("latched off") : x.configured ? t("configured") : t("switched off")),
          jobs[x.name] ? ago(jobs[x.name].last_success) : time(null), jobs[x.name] ? of(jobs[x.name], "failures", "count") : ""] })), "full"))],
};
