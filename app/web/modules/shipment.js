// The coarse fields of a shipment, from the columns of a row. The counterpart of
// postern/shipment.py. What cannot be read is flagged and left out: it is no reason to refuse a row.

import WRITTEN from "../../../postern/shipment_words.json" with { type: "json" };

import { hsChapter, valueBand, weightBand } from "./bands.js";
import { countryCode } from "./normalise/countries.js";
import { fold } from "./normalise/folding.js";
import { CONCEALMENT, DECLARED_CATEGORY, SERVICE, SUBSTANCE } from "./vocabulary.js";

/** The closed lists of a shipment. */
export const LISTS = new Map([
  ["declared_category", DECLARED_CATEGORY],
  ["service", SERVICE],
  ["concealment", CONCEALMENT],
  ["substance", SUBSTANCE],
]);
const WORDS = new Map(
  [...LISTS.keys()].map((name) => [
    name,
    new Map(Object.entries(WRITTEN[name] ?? {}).flatMap(([word, texts]) => texts.map((text) => [foldedWord(text), word]))),
  ]),
);

/** {shipment, flags}; `units` are {weight, currency, ofColumns: {field: unit}}. */
export function readShipment(row, units) {
  const shipment = {};
  const flags = [];
  for (const [name, columns, read] of readers(row, units)) {
    for (const column of columns) {
      const text = row[column];
      if (!text || name in shipment) continue;
      const [found, flag] = read(column)(text);
      if (found) shipment[name] = found;
      else flags.push(flag);
    }
  }
  return { shipment, flags };
}

function readers(row, units) {
  const of = units.ofColumns ?? {};
  const weight = (column) => (text) => weightBand(text, of[column] || units.weight);
  const value = (column) => (text) => valueBand(text, row.currency || of[column] || units.currency);
  return [
    ["origin_country", ["origin_country", "sender_country"], country],
    ["destination_country", ["destination_country", "addressee_country"], country],
    ["weight_band", ["gross_weight", "net_weight"], weight],
    ["value_band", ["total_value", "value"], value],
    ["hs_chapter", ["hs"], () => hsChapter],
    ...[...LISTS.keys()].map((name) => [name, [name], () => (text) => closed(name, text)]),
  ];
}

function country(column) {
  return (text) => [countryCode(text)[0].toUpperCase() || null, `${column}_unknown`];
}

function closed(name, text) {
  return [closedWord(name, text), `${name}_unknown`];
}

/** The word of a shipment's closed list that a text says; null when it says none of them. */
export function closedWord(name, text) {
  const plain = foldedWord(text);
  return LISTS.get(name).includes(plain) ? plain : (WORDS.get(name).get(plain) ?? null);
}

/** What spellings of the same word have in common. */
export function foldedWord(text) {
  return (fold(text).match(/[a-z0-9]+/g) ?? []).join("_");
}
