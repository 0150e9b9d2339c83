// What the models' record is worth.

import { get } from "./api.js";
import { reliability } from "./charts.js";
import { Cell, h, table } from "./dom.js";
import { evidence, horizonName, num, of, time } from "./format.js";
import { t } from "./text.js";

const banded = (m, path, b, format) => new Cell([num(b.value, format, m.from, path + ".value"), h("small", {}, num(b.low, format, m.from, path + ".low"), " … ", num(b.high, format, m.from, path + ".high"))]);

function record(m) {
  const rows = m.horizons.map((x) => {
    const path = x.horizon + ".";
    const n = (value, format, key) => num(value, format, m.from, path + key);
    return [horizonName(x.horizon), new Cell([n(x.walk_rows, "count", "walk_rows"), h("small", {}, n(x.blocks, "one", "blocks"), " ", t("blocks"))]), n(x.scores.base_rate, "percent", "base_rate"), banded(m, path + "brier_skill", x.scores.brier_skill, "signed"),
      banded(m, path + "rank_ic", x.scores.rank_ic, "signed"), banded(m, path + "ece", x.scores.ece, "four"), new Cell([evidence(x.evidence.status), h("small", {}, n(x.evidence.issued, "count", "evidence.issued"), " ", t("issued"))]),
      n(x.evidence.precision, "percent", "evidence.precision"), n(x.momentum_precision, "percent", "momentum_precision")];
  });
  return table(t("record"), [[t("horizon")], [t("walk rows"), "n"], [t("base rate"), "n"], [t("brier skill"), "n"], [t("rank ic"), "n"], [t("ece"), "n"], [t("evidence")], [t("precision"), "n"], [t("momentum"), "n"]], rows, "full");
}

function members(m) {
  const rows = m.horizons.flatMap((x) => x.members.map((p) => [horizonName(x.horizon), p.name, num(p.score_weight, "two", m.from, `${x.horizon}.members.${p.name}.score_weight`),
    num(p.return_weight, "two", m.from, `${x.horizon}.members.${p.name}.return_weight`), banded(m, `${x.horizon}.members.${p.name}.brier_skill`, p.brier_skill, "signed")]));
  return h("details", {}, h("summary", {}, t("members"), h("span", { class: "count" }, String(rows.length))), table(t("members"), [[t("horizon")], [t("member")], [t("score weight"), "n"], [t("return weight"), "n"], [t("brier skill"), "n"]], rows));
}

function champion(m) {
  return h("section", {}, h("h2", {}, t("champion")), h("dl", { class: "facts" }, [[t("trained on data until"), time(m.as_of)], [t("recipe"), m.recipe], [t("features"), num(m.features, "count", m.from, "features")],
    [t("hash"), h("code", {}, m.hash.slice(0, 16))]].map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v)))), record(m), members(m));
}

function others(list) {
  if (list.length < 2) return null;
  return h("section", {}, h("h2", {}, t("all models")), table(t("all models"), [[t("hash")], [t("model role")], [t("trained on data until")], [t("since")], [t("brier skill"), "n"], [t("live outcomes"), "n"], [t("brier"), "n"]],
    list.map((m) => [h("code", {}, m.hash.slice(0, 12)), t("model " + m.role), time(m.as_of), time(m.since), num(m.brier_skill, "signed", m.from, "brier_skill"), of(m, "outcomes", "count"), num(m.brier, "four", m.from, "brier")]), "full"));
}

export const models = {
  load: async () => { const [m, r] = await Promise.all([get("models"), get("reliability")]); return { m, r }; },
  draw: ({ m, r }) => [h("div", { class: "head" }, h("h1", {}, t("models")), h("p", { class: "lede" }, m.champion ? t("models text") : t("nothing learnt text"))), m.champion ? champion(m.champion) : null,
    r.horizons.length ? h("section", {}, h("h2", {}, t("reliability")), h("p", { class: "small soft" }, t("reliability text")), h("div", { class: "plots" }, r.horizons.map((x) => h("div", {}, h("h3", {}, horizonName(x.horizon)), reliability(x.horizon, x.walk, x.live))))) : null,
    others(m.models)],
};
