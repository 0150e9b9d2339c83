// All texts of the dashboard, one table a language. A test holds both to the same keys, and to every reason of reasons.def.

import { en } from "./text_en.js";
import { nl } from "./text_nl.js";

const tables = { en, nl };
let chosen = "en";

export function chooseLanguage(name) {
  chosen = tables[name] ? name : "en";
  document.documentElement.lang = chosen;
  try { localStorage.setItem("language", chosen); } catch { /* a browser may forbid it */ }
}
export function startLanguage() {
  let kept = null;
  try { kept = localStorage.getItem("language"); } catch { /* the same */ }
  chooseLanguage(kept || (navigator.language || "en").slice(0, 2));
}
export const language = () => chosen;
// A missing text shows its key, which a test looks for.
export function t(key, values = {}) {
  const text = tables[chosen][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
