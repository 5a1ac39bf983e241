// What a page shows of a file of reports: its columns, its rows as understood, and what is wrong.

import { inNumbers, say } from "./say.js";
import { doubtWords, faultWords, fieldWords } from "./report_said.js";

const LONGEST_EXAMPLE = 60; // characters of a cell
const MOST_WORDS = 20; // unknown words that are told one by one

/** One row for each column, with what it is read as; `chosen(place, field)` hears of a choice. */
export function columnRows(columns, chosen) {
  const pattern = document.querySelector("[data-column-row]");
  return columns.map(({ heading, example, field, unit }, place) => {
    const row = pattern.content.cloneNode(true);
    const words = heading || say("columns.unnamed", { number: place + 1 });
    row.querySelector("[data-heading]").textContent = unit ? `${words} (${say("columns.unit", { unit })})` : words;
    row.querySelector("[data-example]").textContent = example.slice(0, LONGEST_EXAMPLE);
    const select = row.querySelector("[data-column]");
    select.setAttribute("aria-label", say("columns.heading", { heading: words }));
    select.value = field === "ignore" ? "" : field;
    select.addEventListener("change", () => chosen(place, select.value || "ignore"));
    return row;
  });
}

/** One row for each column under an import mapping: what it becomes, and what its source calls it. */
export function mappedRows(columns) {
  return columns.map(({ heading, example, field, item, isOwn }, place) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = heading || say("columns.unnamed", { number: place + 1 });
    const becomes = { "": say("mapping.not-known"), drop: say("mapping.drop"), note: say("mapping.note") }[field];
    const words = becomes ?? fieldWords(field);
    const cell = cellOf(words);
    if (item && !isOwn) {
      const source = document.createElement("div");
      source.className = "note";
      source.textContent = item;
      cell.append(source);
    }
    row.append(head, cellOf(example.slice(0, LONGEST_EXAMPLE), "note"), cell);
    return row;
  });
}

/** Sentences about what an import mapping left out, each word and each column once. */
export function tallySaid({ unknown, beyond, several, dropped, leftOut }) {
  return [
    ...unknown.slice(0, MOST_WORDS).map(({ heading, text, num }) => say("mapping.unknown", { heading, text, num })),
    ...restOf([...unknown.slice(MOST_WORDS), ...beyond]),
    ...several.map(({ heading, num }) => say("mapping.several", { heading, num })),
    ...leftOut.map(({ where, why, num }) => say(`mapping.${why}`, { heading: where, num })),
    ...dropped.map(({ heading, num }) => say("mapping.dropped", { heading, num })),
  ];
}

function restOf(rest) {
  const num = rest.reduce((sum, each) => sum + each.num, 0);
  return num ? [say("mapping.beyond", { num })] : [];
}

/** Rows as understood: their line, indicators, shipment and doubts. */
export function understoodRows(lines) {
  return lines.map(({ line, sightings, shipment, flags, faults }) => {
    const row = document.createElement("tr");
    const seen = sightings.map(({ kind, role, text }) =>
      say("row.seen", { kind: say(`kind.${kind}`), role: say(`role.${role}`), text }),
    );
    const doubts = new Set([...flags, ...sightings.flatMap((each) => each.doubts)].map(doubtWords));
    const what = Object.entries(shipment).map(([name, word]) => `${shipmentWords(name)}: ${word}`);
    row.append(
      cellOf(inNumbers(line), "number"),
      cellOf(faults.length ? say("row.wrong") : seen),
      cellOf(what),
      cellOf([...doubts]),
    );
    return row;
  });
}

/** One row for each fault of a line: line, field, why, what to do. */
export function faultRows(lines) {
  return lines.flatMap(({ line, faults }) =>
    faults.map((fault) => {
      const row = document.createElement("tr");
      const { reason, remedy } = faultWords(fault);
      row.append(cellOf(inNumbers(line), "number"), cellOf(fieldWords(fault.field)), cellOf(reason), cellOf(remedy));
      return row;
    }),
  );
}

/** [words, count] pairs as figures. */
export function figuresOf(pairs) {
  return pairs.map(([words, count]) => {
    const figure = document.createElement("div");
    const term = document.createElement("dt");
    const number = document.createElement("dd");
    term.textContent = words;
    number.textContent = inNumbers(count);
    figure.append(term, number);
    return figure;
  });
}

/** Sentences as items of a list. */
export function itemsOf(sentences) {
  return sentences.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  });
}

function shipmentWords(name) {
  const field = { weight_band: "gross_weight", value_band: "total_value", hs_chapter: "hs" }[name] ?? name;
  return fieldWords(field);
}

function cellOf(text, name = "") {
  const cell = document.createElement("td");
  cell.className = name;
  if (!Array.isArray(text)) cell.textContent = text;
  else {
    for (const part of text) {
      const line = document.createElement("div");
      line.textContent = part;
      cell.append(line);
    }
  }
  return cell;
}
