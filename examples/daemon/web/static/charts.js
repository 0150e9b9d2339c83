// Plots as inline SVG: they follow the theme, can be read out, and need no library.

import { as, horizonName } from "./format.js";
import { h, s } from "./dom.js";
import { t } from "./text.js";

let number = 0;
const narrow = () => window.innerWidth < 620; // a phone gets plots in its own size, so that their text stays readable

function plot(width, height, title, description, ...children) {
  const id = "plot" + ++number;
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": `${id}t ${id}d` },
    s("title", { id: id + "t" }, title), s("desc", { id: id + "d" }, description), ...children);
}

// About `count` round steps across [low, high].
export function ticks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((v) => v >= rough);
  const list = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) list.push(v);
  return list;
}

// A share as a bar; the text beside it says the same.
export function bar(share, style = "") {
  const width = Math.max(0, Math.min(1, share || 0)) * 100;
  return s("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "track", width: 100, height: 8 }), s("rect", { class: "part " + style, width, height: 8 }));
}

// Closing prices. Prices stand only where there was a trade: a bar without one breaks the line, a gap is shaded.
export function price(data) {
  const W = narrow() ? 360 : 920, H = narrow() ? 220 : 300, L = 4, R = 58, T = 10, B = 26;
  const bars = data.bars, n = bars.length;
  const closes = bars.map((b) => b[4]).filter((v) => v !== null);
  if (!closes.length) return h("p", { class: "soft" }, t("no trades"));
  let low = Math.min(...closes), high = Math.max(...closes);
  if (low === high) { low *= 0.99; high *= 1.01; }
  const x = (i) => L + (W - L - R) * (n < 2 ? 0.5 : i / (n - 1)), y = (v) => T + (H - T - B) * (1 - (v - low) / (high - low));
  const shades = [], lines = [];
  let path = "", run = null;
  const counts = { traded: 0, no_trade: 0, gap: 0, pending: 0 };
  const step = n < 2 ? 1 : (W - L - R) / (n - 1);
  const close = (end) => {
    if (run) shades.push(s("rect", { class: run.state === "gap" ? "gap" : "still", x: x(run.from) - step / 2, y: T, width: Math.max(1, step * (end - run.from)), height: H - T - B }));
    run = null;
  };
  bars.forEach((b, i) => {
    counts[b[6]]++;
    if (b[6] === "traded") {
      path += `${path && bars[i - 1] && bars[i - 1][6] === "traded" ? "L" : "M"}${x(i).toFixed(1)} ${y(b[4]).toFixed(1)}`;
      close(i);
    } else {
      if (run && run.state !== b[6]) close(i);
      if (!run) run = { state: b[6], from: i };
    }
  });
  close(n);
  const grid = ticks(low, high, 4).map((v) => [s("line", { class: "grid", x1: L, x2: W - R, y1: y(v), y2: y(v) }),
    s("text", { x: W - R + 6, y: y(v) + 4 }, as.price(v))]);
  const every = Math.max(1, Math.floor(n / (narrow() ? 3 : 6)));
  for (let i = Math.floor(every / 2); i < n; i += every)
    lines.push(s("text", { x: x(i), y: H - 6, "text-anchor": "middle" }, n > 96 ? bars[i][0].slice(0, 10) : bars[i][0].slice(5, 16).replace("T", " ")));
  const said = t("price described", { n: as.count(n), traded: as.count(counts.traded), still: as.count(counts.no_trade), gaps: as.count(counts.gap), low: as.price(low), high: as.price(high) });
  return h("figure", {}, plot(W, H, t("price"), said, shades, grid, lines, s("path", { class: "line", d: path })),
    h("figcaption", { "data-from": data.from + "@" + bars[0][0] + ".." + bars[n - 1][0], "data-counts": JSON.stringify(counts) }, said));
}

// A small line without axes, beside a number.
export function spark(values) {
  const W = 90, H = 22, known = values.filter((v) => v !== null);
  if (known.length < 2) return "";
  const low = Math.min(...known), high = Math.max(...known);
  let d = "";
  values.forEach((v, i) => {
    if (v === null) return;
    d += `${d && values[i - 1] !== null ? "L" : "M"}${(i / (values.length - 1) * W).toFixed(1)} ${(H - 2 - (H - 4) * (high > low ? (v - low) / (high - low) : 0.5)).toFixed(1)}`;
  });
  return s("svg", { class: "spark", viewBox: `0 0 ${W} ${H}`, width: W, height: H, "aria-hidden": "true" }, s("path", { class: "line", d }));
}

// Forecast probability against how often it happened; bands from the block bootstrap.
export function reliability(horizon, walk, live) {
  const W = 270, H = 250, L = 34, R = 8, T = 8, B = 34;
  const bins = walk.bins.concat(live ? live.bins : []).filter((b) => b.probability !== null);
  const title = t("reliability of", { horizon: horizonName(horizon) });
  if (!bins.length) return h("figure", {}, h("figcaption", {}, title + ": " + t("no calibrated forecasts")));
  const all = bins.flatMap((b) => [b.probability, b.frequency, b.low, b.high]).filter((v) => v !== null);
  let low = Math.floor(10 * Math.min(...all)) / 10, high = Math.ceil(10 * Math.max(...all)) / 10;
  if (high - low < 0.2) { high = Math.min(1, low + 0.2); low = high - 0.2; }
  const x = (v) => L + (W - L - R) * (v - low) / (high - low), y = (v) => T + (H - T - B) * (1 - (v - low) / (high - low));
  const grid = ticks(low, high, 5).map((v) => [s("line", { class: "grid", x1: L, x2: W - R, y1: y(v), y2: y(v) }),
    s("text", { x: L - 5, y: y(v) + 4, "text-anchor": "end" }, as.count(100 * v)), s("text", { x: x(v), y: H - B + 15, "text-anchor": "middle" }, as.count(100 * v))]);
  const points = (list, style) => list.filter((b) => b.probability !== null).map((b) => [
    s("line", { class: "band", x1: x(b.probability), x2: x(b.probability), y1: y(b.low), y2: y(b.high) }),
    s("circle", { class: "dot " + style, cx: x(b.probability), cy: y(b.frequency), r: 4 },
      s("title", {}, t("bin", { p: as.percent(b.probability), f: as.percent(b.frequency), n: as.count(b.count) })))]);
  return h("figure", {}, plot(W, H, title, t("reliability described", { n: as.count(walk.rows) }), grid,
    s("path", { class: "guide", d: `M${x(low)} ${y(low)}L${x(high)} ${y(high)}` }), points(walk.bins, ""), live ? points(live.bins, "live") : [],
    s("text", { x: (L + W - R) / 2, y: H - 3, "text-anchor": "middle" }, t("forecast %"))));
}

// What moved a score away from its mean, greatest first.
export function waterfall(explanation, most = 12) {
  const rows = explanation.contributions.slice(0, most);
  const rest = explanation.contributions.slice(most).reduce((sum, c) => sum + c.contribution, 0);
  const list = rest ? rows.concat([{ feature: t("other features", { n: explanation.contributions.length - rows.length }), value: null, contribution: rest }]) : rows;
  const W = narrow() ? 360 : 680, row = 24, L = narrow() ? 158 : 230, R = narrow() ? 56 : 90, H = (list.length + 2) * row + 8;
  const sums = [explanation.base];
  for (const c of list) sums.push(sums[sums.length - 1] + c.contribution);
  const low = Math.min(...sums), high = Math.max(...sums), span = high - low || 1;
  const x = (v) => L + (W - L - R) * (v - low) / span;
  const line = (i, label, value) => [s("text", { class: "dark", x: L - 8, y: i * row + 16, "text-anchor": "end" }, label), s("text", { x: W - R + 8, y: i * row + 16 }, value)];
  const body = list.map((c, i) => {
    const from = sums[i], to = sums[i + 1], at = i + 1;
    return [line(at, c.feature, as.signed(c.contribution)), s("rect", { class: c.contribution >= 0 ? "up" : "down", x: Math.min(x(from), x(to)),
      y: at * row + 5, width: Math.max(1, Math.abs(x(to) - x(from))), height: row - 10 },
      s("title", {}, c.value === null ? c.feature : `${c.feature} = ${as.figure(c.value)}`))];
  });
  const end = list.length + 1;
  return h("figure", { class: "waterfall" }, plot(W, H, t("why"), t("waterfall described", { base: as.signed(explanation.base), score: as.signed(sums[sums.length - 1]) }),
    s("line", { class: "grid", x1: x(explanation.base), x2: x(explanation.base), y1: 0, y2: H - 8 }),
    line(0, t("mean score"), as.signed(explanation.base)), body, line(end, t("score"), as.signed(sums[sums.length - 1]))),
  h("figcaption", {}, t("waterfall caption", { member: explanation.member })));
}
