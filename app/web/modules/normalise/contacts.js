// Telephone numbers, e-mail addresses and OpenPGP fingerprints.
// The counterpart of postern/normalise/contacts.py.

import PHONES from "../../../../postern/normalise/tables/phones.json" with { type: "json" };

import { countryCode } from "./countries.js";
import { MAX_FIELD_LENGTH, NormalisationError, lengthOf } from "./errors.js";
import { alphanumeric, fold } from "./folding.js";
import { withoutPrefix } from "./text.js";

const PLUS_FIRST = /^[^0-9]*[+\uff0b]/; // the second is the full-width plus
const EXTENSION = new RegExp(`\\b(?:${PHONES.extension_words.join("|")})[ .]*[0-9]{1,6}$`, "g");
const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LOCAL = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;
const MIN_PHONE_DIGITS = 6;
const MAX_PHONE_DIGITS = 15; // ITU-T E.164, 6.2
const FINGERPRINT_DIGITS = new Set([40, 64]); // OpenPGP versions 4 and 6: RFC 9580, 5.5.4
const BY_COUNTRY = new Map(Object.entries(PHONES.countries));
const BY_CALLING_CODE = byCallingCode();

/** The number in E.164, or national digits, flagged, without a country. */
export function normalisePhone(phone) {
  checkLength("number", phone.number);
  const [iso, flags] = countryCode(phone.country);
  let international = PLUS_FIRST.test(phone.number);
  const folded = fold(phone.number.replaceAll("(0)", "")).replace(EXTENSION, "");
  let digits = folded.replace(/[^0-9]/g, "");
  if (!international && digits.startsWith("00")) {
    international = true;
    digits = digits.slice(2);
  }
  if (digits.length < MIN_PHONE_DIGITS || digits.length > MAX_PHONE_DIGITS) {
    throw new NormalisationError(
      "number",
      "A telephone number has between 6 and 15 digits.",
      "Give the whole number, with its country code or with a country.",
    );
  }
  const [text, doubts] = international ? internationally(digits) : nationally(digits, iso);
  return { kind: "phone", form: { text }, flags: [...flags, ...doubts] };
}

/** The address folded to lower-case ASCII, local part and domain alike. */
export function normaliseEmail(email) {
  checkLength("address", email.address);
  const at = email.address.lastIndexOf("@");
  const local = withoutPrefix(foldMail(at < 0 ? "" : email.address.slice(0, at)), "mailto:");
  const domain = foldMail(email.address.slice(at + 1)).replace(/\.+$/, "");
  if (at < 0 || !local || !domain) {
    throw new NormalisationError(
      "address",
      "An e-mail address has something on each side of an @.",
      "Give the whole address.",
    );
  }
  const fits = LOCAL.test(local) && DOMAIN.test(domain);
  return { kind: "email", form: { text: `${local}@${domain}` }, flags: fits ? [] : ["email_form"] };
}

/** The fingerprint as 40 or 64 upper-case hexadecimal digits. */
export function normalisePgp(pgp) {
  checkLength("fingerprint", pgp.fingerprint);
  const plain = withoutPrefix(alphanumeric(pgp.fingerprint), "0x").toUpperCase();
  if (!FINGERPRINT_DIGITS.has(plain.length) || !/^[0-9A-F]+$/.test(plain)) {
    throw new NormalisationError(
      "fingerprint",
      "An OpenPGP fingerprint has 40 or 64 hexadecimal digits.",
      "Give the whole fingerprint; a key ID of 8 or 16 digits is not enough.",
    );
  }
  return { kind: "pgp", form: { text: plain }, flags: [] };
}

function checkLength(field, text) {
  if (lengthOf(text) > MAX_FIELD_LENGTH) {
    throw new NormalisationError(
      field,
      `It is longer than ${MAX_FIELD_LENGTH} characters.`,
      "Give what belongs in this field only.",
    );
  }
}

function internationally(digits) {
  for (const [calling, trunk, fewest, most] of BY_CALLING_CODE) {
    if (!digits.startsWith(calling)) continue;
    let national = digits.slice(calling.length);
    // "+32 0475 12 34 56": the trunk prefix is written although it should not be.
    if (trunk && national.length > most - trunk.length) national = withoutPrefix(national, trunk);
    return [`+${calling}${national}`, fits(national, fewest, most)];
  }
  return [`+${digits}`, []];
}

function nationally(digits, iso) {
  const rule = BY_COUNTRY.get(iso);
  if (rule === undefined) return [digits, ["no_country"]];
  const [calling, trunk, fewest, most] = rule;
  const national = withoutPrefix(digits, trunk);
  if (national.length > most && digits.startsWith(calling)) return internationally(digits);
  return [`+${calling}${national}`, fits(national, fewest, most)];
}

function fits(national, fewest, most) {
  return fewest <= national.length && national.length <= most ? [] : ["phone_length"];
}

function foldMail(part) {
  // Characters that fold() turns into spaces mean something in a local part: keep all ASCII.
  let folded = "";
  for (const letter of part) {
    const code = letter.codePointAt(0);
    if (code > 32) folded += code < 128 ? letter.toLowerCase() : alphanumeric(letter);
  }
  return folded;
}

function byCallingCode() {
  const rules = new Map();
  for (const rule of BY_COUNTRY.values()) {
    if (!rules.has(rule[0])) rules.set(rule[0], rule);
  }
  return [...rules.values()]; // calling codes are prefix-free: the order does not matter
}
