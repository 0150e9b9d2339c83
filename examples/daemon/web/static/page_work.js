// What the daemon does, what it warns of, and who changed what.

import { get, maybe, post } from "./api.js";
import { Cell, h, table } from "./dom.js";
import { ago, of, time } from "./format.js";
import { t } from "./text.js";

const styles = { done: "good", running: "good", queued: "idle", failed: "bad", timeout: "bad", cancelled: "idle", interrupted: "idle" };
const stateOf = (name) => h("span", { class: "state " + (styles[name] || "idle") }, t("run " + name));

async function ask(host, path, said) {
  try {
    await post(path);
    host.tell(said);
    host.again();
  } catch (error) {
    host.tell(error.message);
  }
}

let opened = null;
async function showLog(host, run) {
  opened = opened === run ? null : run;
  host.again();
}

function lastRun(runs, name) {
  const run = runs.find((r) => r.job === name);
  return run ? [stateOf(run.state), h("small", {}, run.progress || run.text || "")] : new Cell(t("never"), "none");
}

export const jobs = {
  load: async () => { const d = await get("jobs"); return { ...d, log: opened ? await maybe(`runs/${opened}/log`) : null, opened }; },
  draw: (d, host) => {
    const operator = host.may("operator");
    const list = (d.jobs || []).map((j) => [j.name, lastRun(d.runs, j.name), ago(j.last_success), time(j.next_due), of(j, "failures", "count"),
      operator ? h("button", { onclick: () => ask(host, `jobs/${j.name}/run`, t("asked to run", { job: j.name })), "aria-label": t("run now") + ": " + j.name }, t("run now")) : ""]);
    const runs = (d.runs || []).map((r) => [h("code", {}, r.from), r.job, stateOf(r.state), t("cause " + r.cause), r.who, ago(r.started || r.queued), new Cell(r.text || r.progress, "wrap"), !operator ? "" :
      [["queued", "running"].includes(r.state) ? h("button", { onclick: () => ask(host, `runs/${r.id}/cancel`, t("asked to cancel")), "aria-label": `${t("cancel")}: ${r.job}` }, t("cancel")) : "", " ",
        h("button", { class: "link", "aria-expanded": String(d.opened === r.id), onclick: () => showLog(host, r.id) }, t("log"))]]);
    return [h("div", { class: "head" }, h("h1", {}, t("jobs")), list.length ? null : h("p", { class: "lede" }, t("no jobs"))),
      list.length ? h("section", {}, h("h2", {}, t("cadence")), table(t("cadence"), [[t("job")], [t("last run")], [t("last success")], [t("next")], [t("failures"), "n"], [t("action")]], list, "full")) : null,
      d.log ? h("section", {}, h("h2", {}, t("log of run", { run: d.opened })), h("pre", { class: "log", tabindex: "0" }, d.log.lines.slice().reverse().map((l) => `${(l.time || "").slice(11, 19)} ${l.level} ${l.module}: ${l.text}\n`))) : null,
      runs.length ? h("section", {}, h("h2", {}, t("runs")), table(t("runs"), [[t("run")], [t("job")], [t("state")], [t("cause")], [t("who")], [t("started")], [t("what"), "wrap"], [t("action")]], runs, "full")) : null];
  },
};

export const alerts = {
  load: () => get("alerts"),
  draw: (d, host) => [h("div", { class: "head" }, h("h1", {}, t("alerts")), h("p", { class: "lede" }, d.alerts.some((a) => !a.cleared) ? t("alerts stand") : t("alerts none"))),
    d.alerts.length ? table(t("alerts"), [[t("alert")], [t("severity")], [t("what"), "wrap"], [t("raised")], [t("cleared")], [t("put aside by")]], d.alerts.map((a) => ({ class: a.cleared ? "idle" : null, cells: [h("code", {}, a.from), a.severity,
      new Cell([h("b", {}, a.rule), h("small", { lang: "en" }, a.text)], "wrap"), time(a.raised), a.cleared ? time(a.cleared) : t("stands"),
      a.acknowledged_by || (host.may("operator") ? h("button", { onclick: () => ask(host, `alerts/${a.id}/acknowledge`, t("put aside")), "aria-label": t("put aside") + ": " + a.rule }, t("put aside")) : "")] })), "full") : null],
};

export const audit = {
  load: () => get("audit"),
  draw: (d) => [h("div", { class: "head" }, h("h1", {}, t("audit")), h("p", { class: "lede" }, t("audit text"))),
    table(t("audit"), [[t("when")], [t("who")], [t("action")], [t("about")], [t("detail"), "wrap"], [t("address")], [t("row")]], (d.audit || []).map((a) => [time(a.time), a.who, a.action, h("code", {}, a.subject), new Cell(a.detail, "wrap"), h("code", {}, a.address), h("code", {}, a.from)]), "full")],
};
