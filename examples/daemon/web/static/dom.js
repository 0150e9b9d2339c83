// Elements without markup in strings: what comes from outside is text, never HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

export const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const s = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

// A table that scrolls sideways where the page is narrow. columns: [title, class]; rows: arrays of cells, or {cells, class}.
export function table(label, columns, rows, kind = "") {
  const head = h("tr", {}, columns.map(([title, style]) => h("th", { scope: "col", class: style }, title)));
  const body = rows.map((row) => {
    const cells = row.cells || row;
    return h("tr", { class: row.class }, cells.map((cell, i) => {
      const node = cell instanceof Cell ? cell : new Cell(cell);
      // where a row is drawn as a card, each cell says what it is
      return h(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, "data-label": columns[i][0] || null,
        class: [columns[i][1], node.style].filter(Boolean).join(" ") || null }, node.content);
    }));
  });
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h("table", { class: kind || null }, h("caption", { class: "hidden" }, label), h("thead", {}, head), h("tbody", {}, body)));
}

export class Cell {
  constructor(content, style = "") {
    this.content = content;
    this.style = style;
  }
}
