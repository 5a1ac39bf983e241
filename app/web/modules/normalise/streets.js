// Streets that have a name in two languages, compared under one.
// The counterpart of postern/normalise/streets.py.

import STREETS from "../../../../postern/normalise/tables/streets.json" with { type: "json" };

import { fold, skeleton } from "./folding.js";
import { readLine } from "./lines.js";
import { fitsWhole } from "./text.js";

const IN_COUNTRIES = new Set(STREETS.countries);
const MIN_LENGTH = STREETS.min_length_by_sound;
const BY_NAME = new Map(STREETS.names.map(([name, common]) => [core(name), core(common)]));
const BY_SOUND = new Map(
  [...BY_NAME]
    .filter(([name]) => name.length >= MIN_LENGTH)
    .map(([name, common]) => [skeleton(name), common]),
);

/** The core of a street, in the language in which all its names are compared. */
export function inOneLanguage(street, country, postcode) {
  if (!IN_COUNTRIES.has(country) && (country || !fitsWhole(STREETS.postcode, postcode))) {
    return street;
  }
  let found = BY_NAME.get(street);
  if (found === undefined && street.length >= MIN_LENGTH) found = BY_SOUND.get(skeleton(street));
  return found || street;
}

function core(name) {
  return readLine(fold(name))?.street ?? "";
}
