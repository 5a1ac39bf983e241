// Handles of vendors, and the operator's own codes of induction points.
// The counterpart of postern/normalise/handles.py.

import HANDLES from "../../../../postern/normalise/tables/handles.json" with { type: "json" };

import { countryCode } from "./countries.js";
import { MAX_FIELD_LENGTH, NormalisationError, lengthOf } from "./errors.js";
import { alphanumeric, skeleton } from "./folding.js";
import { withoutPrefix, withoutSuffix } from "./text.js";

const LOOK_ALIKES = new Map(Object.entries(HANDLES.look_alikes));
const LEET = leet();
// Affixes are compared after leet, in which an l is written i.
const SUFFIXES = HANDLES.suffixes.map((word) => alphanumeric(translate(word, LEET)));
const PREFIXES = HANDLES.prefixes.map((word) => alphanumeric(translate(word, LEET)));

/** The handle in three strengths: folded, without leet and suffixes, and by its sound. */
export function normaliseVendor(vendor) {
  for (const field of ["market", "handle"]) {
    if (lengthOf(vendor[field]) > MAX_FIELD_LENGTH) {
      throw new NormalisationError(
        field,
        `It is longer than ${MAX_FIELD_LENGTH} characters.`,
        "Give the name only.",
      );
    }
  }
  const handle = translate(vendor.handle, LOOK_ALIKES);
  const folded = alphanumeric(handle);
  if (!folded) {
    throw new NormalisationError(
      "handle",
      "It holds no letter and no digit.",
      "Give the handle as the market shows it.",
    );
  }
  const market = alphanumeric(vendor.market);
  const stripped = strippedHandle(handle);
  let sound = skeleton(stripped);
  const flags = market ? [] : ["no_market"];
  if (sound.length < HANDLES.min_skeleton) {
    sound = "";
    flags.push("short_handle");
  }
  return { kind: "vendor", form: { market, folded, stripped, skeleton: sound }, flags };
}

/** `operator|code|country`, each in lower-case letters and digits. */
export function normaliseInductionPoint(point) {
  const [operator, code] = [alphanumeric(point.operator), alphanumeric(point.code)];
  for (const [field, text, written] of [
    ["operator", operator, point.operator],
    ["code", code, point.code],
  ]) {
    if (!text || lengthOf(written) > MAX_FIELD_LENGTH) {
      throw new NormalisationError(
        field,
        `It is empty or longer than ${MAX_FIELD_LENGTH} characters.`,
        "Give the operator's name and its own code of the counter, box or locker.",
      );
    }
  }
  const [iso, flags] = countryCode(point.country);
  if (!iso && !flags.length) flags.push("no_country");
  return { kind: "induction_point", form: { text: `${operator}|${code}|${iso}` }, flags };
}

/** The handle without digits at its end, leet, and words of what or where; never too short. */
function strippedHandle(handle) {
  let withoutDigits = handle.replace(/^[^0-9A-Za-z]+|[^0-9A-Za-z]+$/g, "").replace(/[0-9]+$/, "");
  if (alphanumeric(withoutDigits).length < HANDLES.min_rest) withoutDigits = handle;
  let plain = alphanumeric(translate(withoutDigits, LEET));
  for (;;) {
    const shorter = withoutAffix(plain);
    if (shorter === plain) return plain.length >= HANDLES.min_rest ? plain : "";
    plain = shorter;
  }
}

function withoutAffix(plain) {
  for (const [affixes, without] of [[SUFFIXES, withoutSuffix], [PREFIXES, withoutPrefix]]) {
    for (const affix of affixes) {
      const rest = without(plain, affix);
      if (rest !== plain && rest.length >= HANDLES.min_rest) return rest;
    }
  }
  return plain;
}

function translate(text, letters) {
  let translated = "";
  for (const letter of text) translated += letters.get(letter) ?? letter;
  return translated;
}

function leet() {
  const letters = new Map();
  for (const letter of "ABCDEFGHIJKLMNOPQRSTUVWXYZ") letters.set(letter, letter.toLowerCase());
  for (const [seen, meant] of Object.entries(HANDLES.leet)) {
    letters.set(seen, meant);
    letters.set(seen.toUpperCase(), meant);
  }
  return letters;
}
