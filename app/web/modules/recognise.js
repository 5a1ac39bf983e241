// What a piece of text is likely to be: an address, a handle, a number of something, and why.
// The counterpart of postern/recognise.py; tests/data/recognised-1.json holds both to it.

import COUNTRIES from "../../../postern/normalise/tables/countries.json" with { type: "json" };
import PAYMENTS from "../../../postern/normalise/tables/payments.json" with { type: "json" };

import { readAddress } from "./address_text.js";
import { facetsOf } from "./facets.js";
import { lengthOf } from "./normalise/errors.js";
import { NormalisationError, normalise } from "./normalise/index.js";

const LONGEST = 1000; // characters; a longer text is no single value
const CARRIER_DIGITS = 6; // fewer are no number of an item
const FINGERPRINT_DIGITS = 40; // of version 4; 64 may be the digest of anything
const [FEWEST_NATIONAL, MOST_NATIONAL] = [8, 12];
const LONGEST_HANDLE = 60;
const RANK = new Map([["certain", 0], ["likely", 1], ["possible", 2]]);

const ISO = new Set(COUNTRIES.iso);
const PAYMENT_SCHEMES = new Set([...Object.keys(PAYMENTS.schemes), ...Object.keys(PAYMENTS.alias)]);
const WRONG_CHECK = new Set(["s10_check_digit", "ups_check_digit", "sscc_check_digit"]);

// Every class of characters is written out: Python and JavaScript mean different ones by \s and \w.
const LINE_ENDS = /[\n\r\x85\u2028\u2029]+/;
const SPACES = /[\t\x0b\x0c\x1c-\x20\xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]+/g;
const MAIL = /^(?:mailto:)?[^ \n@<>,;]+@[^ \n@<>,;]+\.[^ \n@<>,;]+$/;
const HIDDEN_SITE = /\.(?:onion|i2p)$/i;
const URI = /^([A-Za-z]+):(?:\/\/)?([^ \n]+)$/;
const ACCOUNT = /^[A-Za-z]{2}[0-9]{2}(?:[ .-]?[0-9A-Za-z]{4}){2,7}(?:[ .-]?[0-9A-Za-z]{1,3})?$/;
const TOKEN = /^[0-9A-Za-z]+$/;
const ITEM = /^[0-9A-Za-z().-]+(?: [0-9A-Za-z().-]+)*$/;
const APPLICATION = /^\(?00\)?/;
const FINGERPRINT_URI = /^openpgp4fpr:/i;
const HEX = /^(?:0x)?(?:[ :]*[0-9A-Fa-f]){40}(?:(?:[ :]*[0-9A-Fa-f]){24})?$/;
const TEL = /^tel:/i;
const PHONE = /^[+(0-9][0-9 ()./+-]*(?: ?(?:ext|extension|x|poste|toestel|tst|dw)[. ]*[0-9]{1,6})?$/i;
const AT_MARKET = /^([^@\n]*[^@ \n])( ?@ ?)([^@ \n][^@\n]*)$/;
const AT_FIRST = /^@[^@ \n]+$/;
const ONE_WORD = /^[^ \n,;@]{2,40}$/u;
const WORDS = /^[^\n,;@|0-9]+ [^\n,;@|0-9]+$/;
const LETTER = /[\p{L}\p{Nl}\p{No}]/u;
const WORD = /[\p{L}\p{Nl}\p{No}]{3,}/u;
const DIGIT = /\p{Nd}/u;
const GAP = /[ \n,;|]/;
const BARE_NUMBER = /^[0-9]{1,5} ?[A-Za-z]{0,3}(?:[/-][0-9A-Za-z]{1,4})?$/;
const POINT_BREAK = / ?[,;/|\n] ?/;

/**
 * What `text` may be, the surest first, each kind once: {kind, value, certainty, why}.
 *
 * `country` holds for national telephone numbers, and for addresses that name none and whose
 * postcode can be one of it. Every value that is returned can be normalised and compared.
 */
export function recognise(text, country = "") {
  const written = plain(text);
  if (!written || lengthOf(written) > LONGEST) return [];
  const found = new Map();
  for (const rule of RULES) {
    for (const each of rule(written, country)) {
      const known = found.get(each.kind);
      if (!known || RANK.get(each.certainty) < RANK.get(known.certainty)) found.set(each.kind, each);
    }
  }
  return [...found.values()]
    .filter(({ kind, value }) => isUsable(kind, value))
    .sort((one, other) => RANK.get(one.certainty) - RANK.get(other.certainty));
}

/** The value of `text` when a person says of what kind it is; it need not be a good one. */
export function readAs(kind, text, country = "") {
  return READERS.get(kind)(plain(text), country);
}

/** Without white space at the ends, each run of it one space; lines stay lines. */
function plain(text) {
  return text
    .split(LINE_ENDS)
    .map((line) => line.replace(SPACES, " ").replace(/^ +| +$/g, ""))
    .filter(Boolean)
    .join("\n");
}

function isUsable(kind, value) {
  const normalised = normalisedOf(kind, value);
  return normalised !== null && facetsOf(normalised).length > 0;
}

function normalisedOf(kind, value) {
  try {
    return normalise(kind, value);
  } catch (error) {
    if (error instanceof NormalisationError) return null;
    throw error;
  }
}

function recognised(kind, value, certainty, why) {
  return { kind, value, certainty, why };
}

function mail(text) {
  if (!MAIL.test(text)) return [];
  const value = { address: text };
  const normalised = normalisedOf("email", value);
  const isGood = normalised !== null && !normalised.flags.includes("email_form");
  const certainty = isGood && !HIDDEN_SITE.test(text) ? "certain" : "possible";
  return [recognised("email", value, certainty, "mail_form")];
}

function payment(text) {
  const named = URI.exec(text)?.[1].toLowerCase();
  if (named !== undefined && PAYMENT_SCHEMES.has(named)) {
    return [recognised("payment", { scheme: named, address: text }, "certain", "prefix")];
  }
  if (!ACCOUNT.test(text) && !TOKEN.test(text)) return [];
  const value = { scheme: "auto", address: text };
  const normalised = normalisedOf("payment", value);
  const found = normalised && sureOfPayment(normalised.form, normalised.flags);
  return found ? [recognised("payment", value, ...found)] : [];
}

function sureOfPayment({ scheme, text }, flags) {
  if (scheme === "iban") {
    if (!ISO.has(text.slice(0, 2).toLowerCase())) return null;
    return flags.length ? ["likely", "wrong_check_digit"] : ["certain", "check_digit"];
  }
  if (["0x", "bc1", "ltc1"].some((prefix) => text.startsWith(prefix))) return ["certain", "prefix"];
  if (scheme === "monero") return ["certain", "wallet_form"];
  const isMixed = text !== text.toUpperCase() && text !== text.toLowerCase();
  return [isMixed ? "likely" : "possible", "wallet_form"];
}

function item(text) {
  if (!ITEM.test(text)) return [];
  const value = { scheme: "auto", value: text };
  const normalised = normalisedOf("item", value);
  if (normalised === null) return [];
  const { form, flags } = normalised;
  if (form.scheme === "carrier") {
    const digits = form.text.replace(/[^0-9]/g, "").length;
    if (!TOKEN.test(text) || digits < CARRIER_DIGITS) return [];
    return [carrier(value, digits, form.text.length - digits)];
  }
  if (flags.some((flag) => WRONG_CHECK.has(flag))) {
    return [recognised("item", value, "likely", "wrong_check_digit")];
  }
  // One in ten numbers of 18 digits is an SSCC by chance; with 00 before it, it is none.
  const byChance = form.scheme === "sscc" && !APPLICATION.test(text);
  return [recognised("item", value, byChance ? "likely" : "certain", "check_digit")];
}

function carrier(value, digits, letters) {
  if (!letters) return recognised("item", value, "possible", "digits");
  return recognised("item", value, digits > letters ? "likely" : "possible", "letters_and_digits");
}

function fingerprint(text) {
  if (FINGERPRINT_URI.test(text)) {
    const value = { fingerprint: text.replace(FINGERPRINT_URI, "") };
    return [recognised("pgp", value, "certain", "prefix")];
  }
  if (!HEX.test(text)) return [];
  const digits = text.replace(/[ :]/g, "");
  const isOurs = !digits.startsWith("0x") && digits.length === FINGERPRINT_DIGITS;
  return [recognised("pgp", { fingerprint: text }, isOurs ? "certain" : "likely", "hex_digits")];
}

function telephone(text, country) {
  const number = text.replace(TEL, "");
  if (!PHONE.test(number)) return [];
  const value = { number, country };
  const normalised = normalisedOf("phone", value);
  if (normalised === null) return [];
  const digits = number.replace(/[^0-9]/g, "");
  const fits = !normalised.flags.includes("phone_length");
  const hasPlus = number.startsWith("+");
  if (hasPlus || digits.startsWith("00")) {
    return [recognised("phone", value, fits && hasPlus ? "certain" : "likely", "international")];
  }
  const isLong = digits.length >= FEWEST_NATIONAL && digits.length <= MOST_NATIONAL;
  if (digits.startsWith("0") && fits && isLong) {
    return [recognised("phone", value, "likely", "national")];
  }
  return [recognised("phone", value, "possible", "digits")];
}

function handle(text) {
  const joined = AT_MARKET.exec(text);
  if (joined) {
    const [, name, between, market] = joined;
    const isApart = between.includes(" ");
    if (!isApart && market.includes(".") && !HIDDEN_SITE.test(text)) return [];
    const value = { market, handle: name };
    return [recognised("vendor", value, isApart ? "certain" : "likely", "market")];
  }
  if (AT_FIRST.test(text)) {
    return [recognised("vendor", { market: "", handle: text.slice(1) }, "likely", "at_first")];
  }
  const value = { market: "", handle: text };
  if (ONE_WORD.test(text) && LETTER.test(text)) {
    return [recognised("vendor", value, "possible", "one_word")];
  }
  const isShort = lengthOf(text) <= LONGEST_HANDLE;
  return WORDS.test(text) && isShort ? [recognised("vendor", value, "possible", "words")] : [];
}

function postal(text, country) {
  if (text.includes("@") || !GAP.test(text) || !WORD.test(text)) return [];
  const address = read(text, country);
  const party = address.lines.length > 1 ? partyOf(address) : null;
  const asParty = party && isNamed(address.lines) ? sureOfAddress("party", party) : null;
  if (asParty) {
    const [certainty, why] = asParty;
    return [
      recognised("party", party, certainty === "certain" ? "likely" : certainty, "name_and_address"),
      recognised("address", withoutName(address), "possible", why),
    ];
  }
  const found = sureOfAddress("address", address);
  if (!found) return [];
  const others = party ? [recognised("party", party, "possible", "name_and_address")] : [];
  return [recognised("address", address, ...found), ...others];
}

/** The address; the country of who asks holds only where the postcode can be one of it. */
function read(text, country) {
  const address = readAddress(text, country);
  const normalised = country && address.country === country ? normalisedOf("address", address) : null;
  const isElsewhere = normalised !== null && normalised.flags.includes("postcode_form");
  return isElsewhere ? { ...address, country: "" } : address;
}

/** Whether the first line is a name: it has no digit, and is not the street of a bare number. */
function isNamed([first, ...others]) {
  if (DIGIT.test(first)) return false;
  return !BARE_NUMBER.test(others[0]) && others.some((line) => DIGIT.test(line));
}

function sureOfAddress(kind, value) {
  const normalised = normalisedOf(kind, value);
  if (normalised === null) return null;
  const { number, streets, postcode } = normalised.form;
  if (number && streets.length && postcode) return ["certain", "street_and_town"];
  if (number && (streets.length || postcode)) return ["likely", "street"];
  return ["possible", "parts"];
}

/** The first line as the name. */
function partyOf({ lines: [name, ...lines], postcode, city, country }) {
  return { name, lines, postcode, city, country };
}

function withoutName(address) {
  return { ...address, lines: address.lines.slice(1) };
}

/** Without the name that stands before it. */
function asAddress(text, country) {
  const address = read(text, country);
  return address.lines.length > 1 && isNamed(address.lines) ? withoutName(address) : address;
}

function asParty(text, country) {
  const address = read(text, country);
  const isName = address.lines.length > 1 || !address.lines.some((line) => DIGIT.test(line));
  return address.lines.length && isName ? partyOf(address) : { name: "", ...address };
}

function asVendor(text) {
  const joined = AT_MARKET.exec(text);
  if (joined) return { market: joined[3], handle: joined[1] };
  return { market: "", handle: text.startsWith("@") ? text.slice(1) : text };
}

function asPayment(text) {
  const named = URI.exec(text)?.[1].toLowerCase();
  return { scheme: PAYMENT_SCHEMES.has(named) ? named : "auto", address: text };
}

/** Operator, code and, where a third part stands, the country: "bpost, BRU-1, BE". */
function asPoint(text, country) {
  let parts = splitAtMost(text, POINT_BREAK, 3).map((part) => part.replace(/^ +| +$/g, ""));
  if (parts.length === 1) parts = splitAtMost(text, / /, 2);
  const [operator = "", code = "", named = ""] = parts;
  return { operator, code, country: named || country };
}

/** `text` cut at the first places of `pattern` into at most `most` parts, the last one whole. */
function splitAtMost(text, pattern, most) {
  const parts = [];
  let rest = text;
  while (parts.length < most - 1) {
    const found = pattern.exec(rest);
    if (!found) break;
    parts.push(rest.slice(0, found.index));
    rest = rest.slice(found.index + found[0].length);
  }
  return [...parts, rest];
}

// Of equal certainty the earlier rule stands first.
const RULES = [mail, payment, item, fingerprint, telephone, handle, postal];

const READERS = new Map([
  ["party", asParty],
  ["address", asAddress],
  ["induction_point", asPoint],
  ["vendor", asVendor],
  ["pgp", (text) => ({ fingerprint: text.replace(FINGERPRINT_URI, "") })],
  ["phone", (text, country) => ({ number: text.replace(TEL, ""), country })],
  ["email", (text) => ({ address: text })],
  ["payment", asPayment],
  ["item", (text) => ({ scheme: "auto", value: text })],
]);
