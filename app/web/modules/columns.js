// Which column of a file is which field, by its heading; the words are data that Python reads too.
// The counterpart of postern/columns.py.

import NAMES from "../../../postern/column_names.json" with { type: "json" };

import { stripped } from "./faults.js";
import { fold } from "./normalise/folding.js";

export const IGNORE = "ignore";
export const PARTIES = Object.keys(NAMES.party_words);

export const PARTY_FIELDS = Object.keys(NAMES.party_fields);
/** The fields whose headings may name a unit. */
export const MEASURES = new Set(["gross_weight", "net_weight", "value", "total_value"]);
/** Words that change neither a heading nor a word of a list, such as of, de and van. */
export const JOINING_WORDS = new Set(NAMES.drop);
/** Words of headings that name a unit, and the unit. */
export const UNITS = new Map(Object.entries(NAMES.units));

const KNOWN = knownHeadings();

/** Every name that a field can have. */
export const FIELDS = new Set([...KNOWN.values(), IGNORE]);

/** {field, unit} of a heading; "" for what is not there. */
export function recognise(heading) {
  const lower = heading.toLowerCase();
  if (FIELDS.has(lower)) return { field: lower, unit: "" };
  const found = words(heading);
  const whole = KNOWN.get(key(found));
  if (whole) return { field: whole, unit: "" };
  const unit = UNITS.get(found.findLast((word) => UNITS.has(word))) ?? "";
  const field = KNOWN.get(key(found.filter((word) => !UNITS.has(word)))) ?? "";
  return { field, unit: MEASURES.has(field) ? unit : "" };
}

/**
 * The columns {places: {field: place}, units: {field: unit}, twice: [place]} of a header.
 *
 * `chosen` holds a field, IGNORE or "" for each column; where it holds null, its heading speaks.
 */
export function columnsOf(header, chosen = []) {
  const places = {};
  const units = {};
  const twice = [];
  header.forEach((heading, place) => {
    const said = recognise(stripped(heading));
    const { field, unit } = chosen[place] == null ? said : { field: chosen[place], unit: said.unit };
    if (!field || field === IGNORE) return;
    if (field in places) {
      twice.push(places[field], place);
      return;
    }
    places[field] = place;
    if (unit && MEASURES.has(field)) units[field] = unit;
  });
  return { places, units, twice: [...new Set(twice)] };
}

/** The fields of one row that hold something, without space around it. */
export function rowOf(places, cells) {
  const row = {};
  for (const [field, place] of Object.entries(places)) {
    const text = stripped(cells[place] ?? "");
    if (text) row[field] = text;
  }
  return row;
}

function words(text) {
  return fold(text).match(/[a-z0-9]+/g) ?? [];
}

function key(list) {
  return list.filter((word) => !JOINING_WORDS.has(word)).sort().join(" ");
}

/** What headings of the same words have in common: their words in order, with a space between. */
export function headingKey(text) {
  return key(words(text));
}

function knownHeadings() {
  const known = new Map();
  const unlessKnown = (text, field) => {
    if (!known.has(headingKey(text))) known.set(headingKey(text), field);
  };
  for (const [field, phrases] of Object.entries(NAMES.fields)) {
    for (const text of [field, ...phrases]) known.set(headingKey(text), field);
  }
  for (const [part, phrases] of Object.entries(NAMES.party_fields)) {
    for (const text of [part, ...phrases]) {
      unlessKnown(text, part);
      for (const [party, partyWords] of Object.entries(NAMES.party_words)) {
        for (const word of partyWords) {
          unlessKnown(`${word} ${text}`, `${party}_${part}`);
          unlessKnown(`${word}${text}`, `${party}_${part}`); // Absendername, afzenderadres
        }
      }
    }
  }
  // A column that is called "Sender" and nothing else holds the name.
  for (const [party, partyWords] of Object.entries(NAMES.party_words)) {
    for (const word of partyWords) if (headingKey(word)) unlessKnown(word, `${party}_name`);
  }
  return known;
}
