// Numbers and times as text. Every number of the catalogue carries in data-from the row and column that it is: "ledger/12#probability".

import { h } from "./dom.js";
import { language, t } from "./text.js";

const formats = new Map();
function decimal(value, digits, sign) {
  const key = `${language()} ${digits} ${sign}`;
  if (!formats.has(key))
    formats.set(key, new Intl.NumberFormat(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits,
      signDisplay: sign ? "exceptZero" : "auto" }));
  return formats.get(key).format(value);
}

const NARROW = "\u202f"; // a no-break space before the percent sign
export const as = {
  count: (v) => decimal(v, 0),
  percent: (v) => decimal(100 * v, 1) + NARROW + "%",
  // log return as simple return
  change: (v) => decimal(100 * Math.expm1(v), 1, true) + NARROW + "%",
  one: (v) => decimal(v, 1),
  two: (v) => decimal(v, 2),
  four: (v) => decimal(v, 4),
  signed: (v) => decimal(v, 4, true),
  slight: (v) => decimal(v, 2, true),
  price: (v) => decimal(v, v >= 1000 ? 0 : v >= 1 ? 2 : v >= 0.01 ? 4 : 8),
  figure: (v) => (v !== 0 && (Math.abs(v) >= 1e6 || Math.abs(v) < 1e-3) ? v.toExponential(2) : decimal(v, Math.abs(v) >= 100 ? 1 : 4)),
};

// null is "n/a": nothing is made up. from: of the object the number stands in; column: its name there.
export function num(value, format, from, column) {
  if (value === null || value === undefined) return h("span", { class: "none" }, t("n/a"));
  // what rounds to zero has no colour either
  const rounded = format === "change" ? Math.round(1000 * Math.expm1(value)) : format === "signed" ? Math.round(1e4 * value) : format === "slight" ? Math.round(100 * value) : 0;
  const style = rounded > 0 ? " rise" : rounded < 0 ? " fall" : "";
  return h("span", { class: "num" + style, "data-from": from ? from + (column ? "#" + column : "") : null, "data-value": value, "data-format": format },
    as[format](value));
}
// The number `column` of a row that says where it comes from.
export const of = (row, column, format) => num(row[column], format, row.from, column);

export function time(text, kind = "minute") {
  if (!text) return h("span", { class: "none" }, t("never"));
  const shown = text.slice(0, 10) + (kind === "day" ? "" : "\u00a0" + text.slice(11, 16));
  return h("time", { datetime: text, title: text.slice(0, 19).replace("T", " ") + " UTC" }, shown);
}

// Ages are by the server's clock, which in a replay is not the browser's.
let ahead = 0;
export const setServerNow = (text) => { if (text) ahead = Date.parse(text) - Date.now(); };
export const serverNow = () => Date.now() + ahead;

export function ago(text, now = serverNow()) {
  if (!text) return time(text);
  const minutes = Math.round((now - Date.parse(text)) / 60000);
  const words = minutes < 0 ? null : minutes < 1 ? t("now") : minutes < 90 ? t("minutes ago", { n: as.count(minutes) }) :
    minutes < 48 * 60 ? t("hours ago", { n: as.count(minutes / 60) }) : t("days ago", { n: as.count(minutes / 1440) });
  return h("time", { datetime: text, title: text.slice(0, 19).replace("T", " ") + " UTC" }, words || text.slice(0, 16).replace("T", " "));
}

export function evidence(status) {
  const style = { CERTIFIED: "good", CONSISTENT: "good", REVOKED: "bad" }[status] || "plain";
  return h("span", { class: "badge " + style, title: t("evidence " + status) }, status);
}

export const reason = (name) => t("reason " + name);
export const horizonName = (name) => name.replace("h", "\u202fh").replace("d", "\u202fd");
export function coinLink(row) {
  const [venue, symbol] = row.market.split(":");
  return h("a", { href: `#/coin/${venue}/${symbol}` }, row.coin);
}
