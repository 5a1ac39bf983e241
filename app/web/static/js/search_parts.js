// Small things that the scripts of the page of search share: elements, clones and words of values.

import { language, say } from "./say.js";

export const at = (id) => document.getElementById(id);

let cloned = 0;

/** A copy of what a <template> of the page holds; its ids are made unlike those of other copies. */
export function fresh(id) {
  cloned += 1;
  const copy = at(id).content.cloneNode(true).firstElementChild;
  for (const name of ["id", "for", "aria-describedby"]) {
    for (const each of copy.querySelectorAll(`[${name}]`)) {
      each.setAttribute(name, `${each.getAttribute(name)}-${cloned}`);
    }
  }
  return copy;
}

/** The field of a copy that stands under `id` in its template. */
export const fieldOf = (copy, id) => copy.querySelector(`[id^="${id}-"]`);

/** An element with text and, if given, a class. */
export function made(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** A row of cells; a cell is a text or an element. */
export function rowOf(cells, heads = 0) {
  const row = document.createElement("tr");
  cells.forEach((content, place) => {
    const cell = document.createElement(place < heads ? "th" : "td");
    if (place < heads) cell.scope = "row";
    cell.append(content);
    row.append(cell);
  });
  return row;
}

export const FIRST_ROWS = 200; // that are drawn at once: a thousand would hold the page up

/** Fill the table within `place` with the first rows; its button, if there are more, adds the rest. */
export function fill(place, lines, row) {
  const body = place.querySelector("tbody");
  const more = place.querySelector("[data-all]");
  body.replaceChildren(...lines.slice(0, FIRST_ROWS).map(row));
  more.hidden = lines.length <= FIRST_ROWS;
  more.onclick = () => {
    more.hidden = true;
    body.append(...lines.slice(FIRST_ROWS).map(row));
    place.querySelector(".search-rows").focus();
  };
}

/** Gives the text of a file to the person; it is made here and sent nowhere. */
export function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Rows as CSV that a spreadsheet reads as text: no cell is a formula. */
export function csvOf(rows) {
  const cell = (written) => {
    const plain = /^[=+\-@\t\r]/.test(written) ? `'${written}` : written;
    return `"${plain.replaceAll('"', '""')}"`;
  };
  return `\ufeff${rows.map((row) => row.map((each) => cell(String(each))).join(",")).join("\r\n")}\r\n`;
}

/** The words of flags, with a capital and a full stop. */
export function flagWords(flags) {
  return flags.map((flag) => {
    const words = say(`flag.${flag}`);
    return `${words[0].toLocaleUpperCase()}${words.slice(1)}.`;
  });
}

const regions = new Intl.DisplayNames(language, { type: "region" });

/** The name of a country. */
export const countryName = (code) => (code ? regions.of(code.toUpperCase()) : say("search.not_told"));

/** What an indicator is: its kind and role. */
export function titleOf({ kind, role }) {
  const words = { kind: say(`kind.${kind}`), role: say(`role.${role}`) };
  const title = kind === role ? words.kind : say("search.title", words);
  return `${title[0].toLocaleUpperCase()}${title.slice(1)}`;
}
