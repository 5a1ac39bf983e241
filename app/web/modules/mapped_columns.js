// Which column of a file is which entry of an import mapping, and a row made into Postern's fields.
// The counterpart of postern/imports/mapped_columns.py, with the mappings that are shipped.

import TABLES from "../../../postern/imports/shipped.json" with { type: "json" };

import { IGNORE, MEASURES, PARTY_FIELDS, UNITS, headingKey, recognise } from "./columns.js";
import { FaultError, fault, stripped } from "./faults.js";
import { STRICT, WEIGHTS, amountOf, dayOf, formsOf, hasWords, unitOf, wordOf } from "./import_cells.js";

const DROP = "drop";
const NOTE = "note";
const SCOPE = "scope";
const WEIGHT_UNIT = "weight_unit";
const OWN_PARTIES = ["person", "business"];
const INVOLVEMENTS = OWN_PARTIES.map((party) => `${party}_involvement`);
const DAYS = new Set(["observed_from", "observed_to", "expires_on"]);
const NOTES = new Set([NOTE, "found_quantity", "found_unit"]); // how much was found stands in the note too
const FIND_FIELDS = ["outcome", "found_quantity", "found_unit"]; // told as an outcome, on premises alone
const SAYS_NOTHING = new Set([DROP, ...FIND_FIELDS, NOTE, SCOPE, WEIGHT_UNIT, "goods_origin", ...INVOLVEMENTS]);
const MOST_WORDS = 500; // different unknown words of one column that are kept apart
const REMEMBERED = 5000; // different cells of one column whose word is kept
const LONGEST_SHOWN = 60; // characters of an unknown word; longer cells are no words

/** How to read the cells of one file under a mapping; `tally` counts what is left out. */
export class MappedColumns {
  #fields = new Map(); // field -> part -> columns, the first of which counts
  #words = new Map(); // column -> cell -> what it says

  constructor(header, name) {
    this.columns = placed(header, TABLES.mappings[name]);
    this.tally = { unknown: [], beyond: [], several: [], dropped: [], leftOut: [] };
    for (const column of this.columns) {
      const { field, part = 0 } = column.line;
      if (field === DROP || field === "") continue;
      if (!this.#fields.has(field)) this.#fields.set(field, new Map());
      const parts = this.#fields.get(field);
      if (!parts.has(part)) parts.set(part, []);
      parts.get(part).push(column);
    }
    for (const [field, parts] of this.#fields) {
      this.#fields.set(field, [...parts].sort(([one], [other]) => one - other).map(([, columns]) => columns));
    }
  }

  /** Whether anything of a row could be sent. */
  get isUsable() {
    return [...this.#fields.keys()].some((field) => !SAYS_NOTHING.has(field));
  }

  /** [field, place] of every column that is read. */
  get pairs() {
    return this.columns.filter(({ line }) => line.field && line.field !== DROP).map(({ line, place }) => [line.field, place]);
  }

  /** The fields of one row that hold something; throws FaultError. */
  read(cells) {
    const faults = [];
    const row = {};
    const unit = this.#parts(WEIGHT_UNIT, cells, "", faults)[0] ?? "";
    for (const field of this.#fields.keys()) {
      if (field === WEIGHT_UNIT || field === NOTE) continue;
      const found = this.#parts(field, cells, unit, faults);
      if (found.length) row[field] = found.join(" ");
    }
    const notes = this.columns
      .filter(({ line }) => NOTES.has(line.field))
      .map(({ heading, place }) => [heading, stripped(cells[place] ?? "")])
      .filter(([, text]) => text);
    if (notes.length) row[NOTE] = notes.map(([heading, text]) => `${heading}: ${text}`).join("\n");
    for (const { heading, place, line } of this.columns) {
      if (line.field === DROP && stripped(cells[place] ?? "")) count(this.tally.dropped, { heading });
    }
    if ((row[SCOPE] ?? "").split(" ").includes("outside")) faults.push(outside());
    for (const field of [SCOPE, ...FIND_FIELDS]) delete row[field];
    if (faults.length) throw new FaultError(faults);
    return this.#withParties(row);
  }

  /** What each part of a field holds, of the first of its columns that holds something. */
  #parts(field, cells, unit, faults) {
    const found = (this.#fields.get(field) ?? []).map((columns) => {
      for (const column of columns) {
        const text = stripped(cells[column.place] ?? "");
        const read = text && this.#cell(column, text, unit, faults);
        if (read) return read;
      }
      return "";
    });
    return found.filter(Boolean);
  }

  #cell(column, text, unit, faults) {
    const { line, heading } = column;
    if (hasWords(line.field)) return this.#word(column, text);
    if (DAYS.has(line.field)) {
      const day = dayOf(line, text);
      if (day === null) faults.push(notADay(line, heading));
      return day ?? "";
    }
    if (MEASURES.has(line.field)) return amountOf(line, text, column.unit || (WEIGHTS.has(line.field) ? unit : ""));
    if (line.field.endsWith("email") && !text.includes("@")) {
      count(this.tally.leftOut, { where: heading, why: "no-mail" });
      return "";
    }
    return text;
  }

  #word(column, text) {
    if (!this.#words.has(column)) this.#words.set(column, new Map());
    const known = this.#words.get(column);
    const said = known.get(text) ?? wordOf(column.line, text);
    if (known.size < REMEMBERED && text.length <= LONGEST_SHOWN) known.set(text, said);
    const { heading, line } = column;
    if (said.word === null && STRICT.has(line.field)) return text; // which refuses the row
    for (const each of said.unknown) this.#unknown(heading, line.field, each);
    if (said.saysMore) count(this.tally.several, { heading });
    return said.word ?? "";
  }

  #unknown(heading, field, cell) {
    const text = cell.split(/\s+/).filter(Boolean).join(" ");
    const own = this.tally.unknown.filter((each) => each.heading === heading && each.field === field);
    const isNew = !own.some((each) => each.text === text);
    if (isNew && ([...text].length > LONGEST_SHOWN || own.length >= MOST_WORDS)) count(this.tally.beyond, { heading, field });
    else count(this.tally.unknown, { heading, field, text });
  }

  /** The row with persons and businesses in the roles that they have; two are never mixed. */
  #withParties(row) {
    for (const party of OWN_PARTIES) {
      const role = row[`${party}_involvement`] ?? "";
      delete row[`${party}_involvement`];
      const parts = {};
      for (const part of PARTY_FIELDS) {
        const name = `${party}_${part}`;
        if (!(name in row)) continue;
        parts[name === "business_name" ? "business" : part] = row[name];
        delete row[name];
      }
      if (!Object.keys(parts).length) continue;
      const wished = role === "sender" || role === "addressee" ? `${role}_` : "";
      const free = [wished, ""].find((prefix) => !PARTY_FIELDS.some((part) => `${prefix}${part}` in row));
      if (free === undefined) count(this.tally.leftOut, { where: party, why: "no-room" });
      else for (const [part, text] of Object.entries(parts)) row[`${free}${part}`] = text;
    }
    return row;
  }
}

/** The names of the mappings that come along. */
export const MAPPINGS = Object.keys(TABLES.mappings);

/** {heading, place, line, unit} of every column, in the order of the mapping; `line.field` is "" for one that nobody knows. */
function placed(header, lines) {
  const known = new Map();
  lines.forEach((line, number) =>
    line.headings.forEach((key, rank) => {
      if (!known.has(key)) known.set(key, [number, rank]);
    }),
  );
  const found = header.map((cell, place) => {
    const heading = stripped(cell);
    const [at, unit] = lineOf(heading, known, lines);
    if (at) return { at, heading, place, line: lines[at[0]], unit, isOwn: false };
    const own = heading ? recognise(heading) : { field: "", unit: "" };
    const field = own.field === IGNORE ? "" : own.field;
    return { at: [lines.length, place], heading, place, line: { field }, unit: own.unit, isOwn: true };
  });
  return found.sort((one, other) => one.at[0] - other.at[0] || one.at[1] - other.at[1] || one.place - other.place);
}

/** The entry of a heading and its place there, if there is one, and the unit that the heading names. */
function lineOf(heading, known, lines) {
  const key = headingKey(heading);
  if (known.has(key)) return [known.get(key), ""];
  const words = key.split(" ");
  const units = words.map((word) => unitOf(word) ?? UNITS.get(word)).filter(Boolean);
  const at = known.get(words.filter((word) => !(unitOf(word) ?? UNITS.get(word))).join(" "));
  return units.length && at && MEASURES.has(lines[at[0]].field) ? [at, units[0]] : [null, ""];
}

function notADay(line, heading) {
  return fault(
    line.field,
    "What stands under %(heading)s is not a day.",
    "Write it as %(forms)s.",
    { heading, forms: formsOf(line).map((form) => TABLES.day_examples[form]).join(", ") },
  );
}

function outside() {
  return fault(
    SCOPE,
    "The row is about another way of transport than post and courier, or about no shipment.",
    "Leave it out; or let the mapping say that its word is within the scope.",
  );
}

/** Count one more of what is described so. */
function count(counts, what) {
  const found = counts.find((each) => Object.entries(what).every(([name, said]) => each[name] === said));
  if (found) found.num += 1;
  else counts.push({ ...what, num: 1 });
}
