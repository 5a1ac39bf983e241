// Names and addresses in canonical form. The counterpart of postern/normalise/postal.py: the words
// are data (tables/*.json), this file is the order in which they are applied.

import CITIES from "../../../../postern/normalise/tables/cities.json" with { type: "json" };
import NAMES from "../../../../postern/normalise/tables/names.json" with { type: "json" };
import POSTCODES from "../../../../postern/normalise/tables/postcodes.json" with { type: "json" };

import { countryCode } from "./countries.js";
import { MAX_FIELD_LENGTH, MAX_LINES, NormalisationError, lengthOf } from "./errors.js";
import { alphanumeric, digraphs, fold, healDigits } from "./folding.js";
import { readLine } from "./lines.js";
import { inOneLanguage } from "./streets.js";
import { fitsWhole, isLetters, sorted, unique, withoutPrefix } from "./text.js";

const MAX_STREETS = 2;
const WORDS_OF_A_FULL_NAME = 2;
const WORD = /[a-z0-9]+/g;
const HYPHENED = /([a-z]+)-([a-z]+)/g;
const LETTERS = /[a-z]+/g;
const PREFIXED_POSTCODE = new RegExp(`^(?:${POSTCODES.prefixed})$`);
const POSTCODE_IN_CITY = new RegExp(POSTCODES.in_city);
const DROPPED = new Set([...NAMES.drop, ...NAMES.legal_forms]);
const HEADS = new Set(NAMES.compound_heads);
const TAILS = new Set(NAMES.compound_tails);
const TITLE_OR_INITIAL = new Set(NAMES.title_or_initial);
const GLUED_NAMES = new Map(Object.entries(NAMES.glued_names));
const SAINTS = new Set(CITIES.saint_words);
const CITY_DROP = new Set(CITIES.drop);
const CITY_ALIAS = new Map(Object.entries(CITIES.alias));

/** The canonical form of a person or firm at an address; throws NormalisationError. */
export function normaliseParty(party) {
  const fields = [["name", party.name], ["postcode", party.postcode], ["city", party.city]];
  checkLengths(fields, party.lines);
  const words = nameWords(party.name);
  const [form, flags] = postalForm(words, party);
  if (!words.length) flags.unshift("no_name");
  if (!words.length && !hasAnAddress(form)) {
    throw new NormalisationError(
      "party",
      "It holds neither a name nor an address that can be read.",
      "Give a name, or a street with a house number.",
    );
  }
  return { kind: "party", form, flags };
}

/** The canonical form of an address; throws NormalisationError. */
export function normaliseAddress(address) {
  checkLengths([["postcode", address.postcode], ["city", address.city]], address.lines);
  const [form, flags] = postalForm([], address);
  if (!hasAnAddress(form)) {
    throw new NormalisationError(
      "address",
      "It holds no street and no house number that can be read.",
      "Give a street with a house number, or a house number with a postcode.",
    );
  }
  return { kind: "address", form, flags };
}

/** The words that make a name, sorted, without titles, particles and legal forms. */
export function nameWords(name) {
  const folded = healDigits(fold(name).replaceAll("'", ""));
  const words = (folded.match(WORD) ?? []).filter(isLetters);
  let full = words.filter((word) => !DROPPED.has(word));
  if (full.length < WORDS_OF_A_FULL_NAME) full = [...full, ...initials(words)];
  const kept = withoutCompoundTails(full.length ? full : words, hyphenedTails(folded));
  return sorted(kept.map((word) => digraphs(withoutParticle(word))));
}

/** A postcode in [a-z0-9], without the country prefix that people write before it. */
export function postcode(text) {
  const plain = alphanumeric(text);
  const prefixed = PREFIXED_POSTCODE.exec(plain);
  return prefixed ? prefixed[1] : plain;
}

/** A city as one word: saint forms and exonyms unified, numbers and CEDEX dropped. */
export function city(text) {
  const words = (healDigits(fold(text)).match(LETTERS) ?? [])
    .filter((word) => !CITY_DROP.has(word))
    .map((word) => (SAINTS.has(word) ? "st" : word));
  const joined = digraphs(words.join(""));
  return CITY_ALIAS.get(joined) ?? joined;
}

function hasAnAddress(form) {
  return Boolean(form.streets.length || (form.number && form.postcode));
}

function checkLengths(fields, lines) {
  for (const [field, text] of [...fields, ...lines.map((line) => ["lines", line])]) {
    if (lengthOf(text) > MAX_FIELD_LENGTH) {
      throw new NormalisationError(
        field,
        `It is longer than ${MAX_FIELD_LENGTH} characters.`,
        "Give what stands on the label only.",
      );
    }
  }
  if (lines.length > MAX_LINES) {
    throw new NormalisationError(
      "lines",
      `There are more than ${MAX_LINES} of them.`,
      "Give the address lines only.",
    );
  }
}

function postalForm(words, written) {
  const [iso, flags] = countryCode(written.country);
  let code = postcode(written.postcode);
  if (!code) {
    const found = POSTCODE_IN_CITY.exec(alphanumericWords(written.city));
    code = found ? postcode(found[0]) : "";
  }
  const read = written.lines
    .map((text) => readLine(healDigits(fold(text))))
    .filter((line) => line !== null);
  const numbered = read.find((line) => line.number);
  const ordered = [
    ...read.filter((line) => line === numbered),
    ...read.filter((line) => line !== numbered),
  ];
  const streets = ordered
    .filter((line) => line.street)
    .map((line) => inOneLanguage(line.street, iso, code));
  const form = {
    name_words: words,
    streets: unique(streets).slice(0, MAX_STREETS),
    number: numbered?.number ?? "",
    suffix: numbered?.suffix ?? "",
    box: numbered?.box ?? "",
    postcode: code,
    city: city(written.city),
    country: iso,
  };
  return [form, [...flags, ...doubts(form, read)]];
}

function doubts(form, lines) {
  const flags = [];
  if (!form.streets.length) flags.push("no_street");
  if (!form.number) flags.push("no_house_number");
  if (!form.postcode) flags.push("no_postcode");
  else if (!hasTheFormOf(form.country, form.postcode)) flags.push("postcode_form");
  if (!form.city) flags.push("no_city");
  if (lines.some((line) => line.several)) flags.push("several_house_numbers");
  if (lines.some((line) => line.posteRestante)) flags.push("poste_restante");
  return flags;
}

function hasTheFormOf(iso, code) {
  const pattern = Object.hasOwn(POSTCODES.forms, iso) ? POSTCODES.forms[iso] : null;
  return pattern === null || fitsWhole(pattern, code);
}

function alphanumericWords(text) {
  return (fold(text).match(WORD) ?? []).join(" ");
}

function initials(words) {
  // "M." may be a title or an initial: a name of one other word cannot spare it.
  const letters = words.filter((word) => TITLE_OR_INITIAL.has(word));
  if (letters.length > 1 && words[0] === "m") letters.splice(letters.indexOf("m"), 1);
  return letters;
}

function hyphenedTails(folded) {
  return [...folded.matchAll(HYPHENED)]
    .filter(([, head]) => !DROPPED.has(head))
    .map(([, , tail]) => tail);
}

function withoutCompoundTails(words, hyphened) {
  const kept = [...words];
  const known = sorted(unique(words.filter((word) => TAILS.has(word))));
  for (const tail of [...sorted(hyphened), ...known]) {
    const place = kept.indexOf(tail);
    if (
      kept.length > WORDS_OF_A_FULL_NAME &&
      place >= 0 &&
      (hyphened.includes(tail) || kept.some((word) => HEADS.has(word) && word !== tail))
    ) {
      kept.splice(place, 1);
    }
  }
  return kept;
}

function withoutParticle(word) {
  const whole = GLUED_NAMES.get(word);
  if (whole !== undefined) return whole;
  for (const particle of NAMES.glued_particles) {
    const rest = withoutPrefix(word, particle);
    if (rest !== word && rest.length >= NAMES.glued_particle_min_rest) return rest;
  }
  return word;
}
