// An address that stands in one piece of text, taken apart. The counterpart of
// postern/address_text.py.

import { stripped } from "./faults.js";
import { countryCode } from "./normalise/countries.js";
import { MAX_LINES } from "./normalise/errors.js";

const STATE = 2; // letters of a state of the United States

const BREAKS = /[,;\n\r|]+/;
const LETTER = "[\\p{L}\\p{Nl}\\p{No}_]"; // what Python calls a letter within a word
const SPACE = "[\\s\\x1c-\\x1f\\x85]";
// A town's line: the postcode first (Europe) or last (United Kingdom, United States).
const POSTCODE =
  "(?:[A-Za-z]{1,2}-)?" + // a country's letters: B-1040, L-2222
  "(?:[0-9]{4} ?[A-Za-z]{2}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{4}-[0-9]{3}|[0-9]{4,7})";
const BRITISH = "[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}";
const FIRST = whole(`(${POSTCODE})${SPACE}+(${LETTER}.*)`);
const LAST = whole(`(.*${LETTER})${SPACE}+(${BRITISH}|[0-9]{5}(?:-[0-9]{4})?)`);
const ALONE = whole(`${POSTCODE}|${BRITISH}`);
const INSIDE = whole(`(.*\\p{Nd}.*?|.*${LETTER})${SPACE}+(${POSTCODE})${SPACE}+(${LETTER}\\P{Nd}*)`);
const DIGIT = /[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089\u2460-\u2468]/u;

/** {lines, postcode, city, country}; `country` holds when the text names none. */
export function readAddress(text, country = "") {
  let parts = text.split(BREAKS).map(stripped).filter(Boolean);
  if (parts.length > 1 && isCountry(parts.at(-1))) country = parts.pop();
  if (parts.length === 1) parts = splitOnce(parts[0]);
  for (let place = parts.length - 1; place > 0; place -= 1) {
    let [postcode, city] = town(parts[place]);
    if (!postcode) continue;
    const lines = [...parts.slice(0, place), ...parts.slice(place + 1)];
    if (city.length === STATE && isUpper(city) && place > 1) {
      [city] = lines.splice(place - 1, 1); // "..., New York, NY 10118"
    } else if (!city && place + 1 < parts.length) {
      [city] = lines.splice(place, 1); // "..., 1040, Bruxelles"
    } else if (!city && place > 1) {
      [city] = lines.splice(place - 1, 1); // "..., London, SW1A 2AA"
    }
    return { lines: lines.slice(0, MAX_LINES), postcode, city, country };
  }
  if (parts.length > 1) {
    return { lines: parts.slice(0, -1).slice(0, MAX_LINES), postcode: "", city: parts.at(-1), country };
  }
  return { lines: parts, postcode: "", city: "", country };
}

function isCountry(text) {
  return !DIGIT.test(text) && Boolean(countryCode(text)[0]);
}

function isUpper(text) {
  return text === text.toUpperCase() && text !== text.toLowerCase();
}

function town(part) {
  if (ALONE.test(part)) return [part, ""];
  const first = FIRST.exec(part);
  if (first) return [first[1], first[2]];
  const last = LAST.exec(part);
  return last ? [last[2], last[1]] : ["", ""];
}

/** "16 rue de la Loi 1040 Bruxelles" has no comma: cut before the last postcode. */
function splitOnce(part) {
  const found = INSIDE.exec(part);
  return found ? [found[1], `${found[2]} ${found[3]}`] : [part];
}

function whole(pattern) {
  return new RegExp(`^(?:${pattern})$`, "u");
}
