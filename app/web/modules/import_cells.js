// From a cell of another system's records to a cell of Postern: words, days and amounts.
// The counterpart of postern/imports/cells.py.

import TABLES from "../../../postern/imports/shipped.json" with { type: "json" };

import { dayOf as realDay, daysAfter, readAmount, unitLetters } from "./bands.js";
import { JOINING_WORDS } from "./columns.js";
import { countryCode } from "./normalise/countries.js";
import { fold } from "./normalise/folding.js";
import { LISTS, closedWord, foldedWord } from "./shipment.js";

export const WEIGHTS = new Set(["gross_weight", "net_weight"]);
/** Fields of which an unknown word refuses the row: without it, more might be done than allowed. */
export const STRICT = new Set(["learned", "legal_basis", "tlp", "permitted_action"]);

const USUAL_DAYS = ["iso", "day_first", "month_name"];
const COUNTRIES = new Map(Object.entries(TABLES.countries));
const WORDS = new Map(Object.entries(TABLES.words).map(([name, words]) => [name, new Map(Object.entries(words))]));
const ISO = /^([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ,][^]*)?$/;
const NUMBERS = /^([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?:[T ,][^]*)?$/;
const NAMED = /^([0-9]{1,2})(?:er|e|st|nd|rd|th)? ([a-z]{3,9}) ([0-9]{4})(?: .*)?$/;
const SERIAL = /^[0-9]{5}(?:[.,][0-9]+)?$/;
const SERIAL_BEGIN = "1899-12-30";
const FIRST_YEAR = 100;
const MONTHS = [
  ["jan"], ["feb", "fev"], ["mar", "maart", "mrt", "mae", "mrz"], ["apr", "avr"], ["may", "mai", "mei"], ["jun", "juin"],
  ["jul", "juil"], ["aug", "aou"], ["sep"], ["oct", "okt"], ["nov"], ["dec", "dez"],
];
const BETWEEN = /[;,/+|&\n]/;
const BRACKETS = /\([^()]*\)/g;

/** Whether the cells of a field are countries. */
export function isCountry(name) {
  return name === "country" || name.endsWith("_country");
}

/** Whether the cells of a field are words that must be known. */
export function hasWords(name) {
  return LISTS.has(name) || WORDS.has(name) || isCountry(name);
}

/**
 * What a cell of a closed list says: {word, unknown, saysMore}. The word is "" for what says nothing
 * that is sent, null when nothing in it is known; of several words the first one counts.
 */
export function wordOf(column, text) {
  const whole = known(column, text);
  if (whole !== null || isCountry(column.field) || STRICT.has(column.field)) {
    return { word: whole, unknown: whole === null ? [text] : [], saysMore: false };
  }
  const pieces = text.split(BETWEEN).map((piece) => piece.trim()).filter(Boolean);
  const said = pieces.map((piece) => [known(column, piece), piece]);
  const words = [...new Set(said.map(([word]) => word).filter(Boolean))];
  if (!words.length) return { word: null, unknown: [text], saysMore: false };
  const unknown = said.filter(([word]) => word === null).map(([, piece]) => piece);
  return { word: words[0], unknown, saysMore: words.length > 1 };
}

/** A day in ISO 8601, from the first form of the column in which it is one; null if none. */
export function dayOf(column, text) {
  for (const form of formsOf(column)) {
    const found = day(form, text);
    if (found !== null && Number(found.slice(0, 4)) >= FIRST_YEAR) return found;
  }
  return null;
}

/** The forms in which a column's days are written. */
export function formsOf(column) {
  return column.days?.length ? column.days : USUAL_DAYS;
}

/** An amount with its unit beside it, weights in grams where Postern has no such unit. */
export function amountOf(column, text, unit) {
  const letters = unitLetters(text);
  const otherwise = unit || column.unit || "";
  if (!WEIGHTS.has(column.field)) return letters || !otherwise ? text : `${text} ${otherwise}`;
  const found = letters ? unitOf(letters) : otherwise;
  if (!found) return text;
  if (found === "g" || found === "kg") return letters ? text : `${text} ${found}`;
  const amount = readAmount(text, found !== "mg");
  return amount === null ? text : `${(amount * Number(TABLES.grams[found])).toFixed(2)} g`;
}

/** The unit of weight that a word names; null when it is not known. */
export function unitOf(text) {
  return WORDS.get("weight_unit").get(foldedWord(text)) ?? null;
}

/** The word of a field's list that a text says by itself; null when it says none of them. */
function listWord(name, text) {
  const folded = foldedWord(text);
  if (isCountry(name)) return countryCode(text)[0].toUpperCase() || (COUNTRIES.get(folded) ?? null);
  return LISTS.has(name) ? closedWord(name, text) : (WORDS.get(name).get(folded) ?? null);
}

function known(column, text) {
  for (const each of readings(column, text)) {
    const folded = foldedWord(each);
    if (Object.hasOwn(column.words ?? {}, folded)) return column.words[folded];
    const word = folded && listWord(column.field, each);
    if (word) return word;
  }
  return null;
}

/** A text as it stands, without brackets, and without words that say nothing. */
function* readings(column, text) {
  yield text;
  const without = text.replace(BRACKETS, " ");
  if (without !== text) yield without;
  const words = foldedWord(without).split("_");
  const kept = words.filter((word) => !JOINING_WORDS.has(word) && !column.ignoring?.includes(word));
  if (kept.length < words.length) yield kept.join(" ");
}

function day(form, text) {
  if (form === "iso") {
    const found = ISO.exec(text);
    return found && realDay(found[1], found[2], found[3]);
  }
  if (form === "month_name") return namedDay(text);
  if (form === "serial") return SERIAL.test(text) ? daysAfter(SERIAL_BEGIN, Number.parseInt(text, 10)) : null;
  const found = NUMBERS.exec(text);
  if (!found) return null;
  const year = found[4].length > 2 ? found[4] : `20${found[4]}`;
  const [dayOfMonth, month] = form === "day_first" ? [found[1], found[3]] : [found[3], found[1]];
  return realDay(year, month, dayOfMonth);
}

function namedDay(text) {
  const found = NAMED.exec((fold(text).match(/[a-z0-9]+/g) ?? []).join(" "));
  if (!found) return null;
  const month = MONTHS.findIndex((beginnings) => beginnings.some((each) => found[2].startsWith(each)));
  return month < 0 ? null : realDay(found[3], String(month + 1), found[1]);
}
