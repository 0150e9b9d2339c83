// Every coin at every horizon: the deeper the blue, the likelier the rise.

import { get } from "./api.js";
import { Cell, h, table } from "./dom.js";
import { coinLink, horizonName, of, time } from "./format.js";
import { t } from "./text.js";

const depth = (p) => (p === null ? "" : "p" + Math.min(7, Math.floor(p * 8)));

export const matrix = {
  load: () => get("matrix"),
  draw: (d) => {
    const head = h("div", { class: "head" }, h("h1", {}, t("matrix title")), d.prediction ? h("p", { class: "lede" }, t("decision of"), " ", time(d.prediction.decision), " UTC. ", t("matrix text")) :
      h("p", { class: "lede" }, t("nothing predicted text")));
    if (!d.rows.length) return head;
    const rows = d.rows.map((row) => [[coinLink(row), h("small", {}, row.market.split(":")[0])], ...d.horizons.map((name) => {
      const f = row.horizons[name];
      return f ? new Cell([of(f, "probability", "percent"), h("small", {}, of(f, "expected_return", "change"))], depth(f.probability) + (f.shown && name === d.gate_horizon ? " passes" : "")) : new Cell(t("n/a"), "none");
    })]);
    const legend = h("div", { class: "legend", "aria-hidden": "true" }, "0 %", [0, 1, 2, 3, 4, 5, 6, 7].map((i) => h("span", { class: "sw p" + i })), "100 %");
    return [head, legend, table(t("matrix title"), [[t("coin")], ...d.horizons.map((n) => [horizonName(n), "n"])], rows, "heat"), h("p", { class: "small soft" }, t("matrix note"))];
  },
};
