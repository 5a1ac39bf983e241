// Where money goes: wallets and bank accounts. Case is kept where it carries meaning (base58).
// The counterpart of postern/normalise/payments.py.

import PAYMENTS from "../../../../postern/normalise/tables/payments.json" with { type: "json" };

import { MAX_FIELD_LENGTH, NormalisationError, lengthOf } from "./errors.js";
import { alphanumeric } from "./folding.js";
import { fitsWhole } from "./text.js";

const MIN_LENGTH = 6;
const IBAN_MODULUS = 97n; // ISO 13616, ISO 7064 MOD 97-10
const SCHEMES = new Map(Object.entries(PAYMENTS.schemes));
const ALIAS = new Map(Object.entries(PAYMENTS.alias));
// What Python's \s matches of ASCII; JavaScript's own matches more.
const URI = /^[ \t\n\r\f\v]*[A-Za-z]+:(?:\/\/)?/;

/** The scheme's name and the account or wallet without spaces; throws NormalisationError. */
export function normalisePayment(payment) {
  if (lengthOf(payment.address) > MAX_FIELD_LENGTH * 2) {
    throw new NormalisationError(
      "address",
      `It is longer than ${MAX_FIELD_LENGTH * 2} characters.`,
      "Give the address only.",
    );
  }
  const [written] = payment.address.replace(URI, "").split("?");
  const plain = written.replace(/[^0-9A-Za-z]/g, "");
  if (plain.length < MIN_LENGTH) {
    throw new NormalisationError(
      "address",
      `It has fewer than ${MIN_LENGTH} letters and digits.`,
      "Give the whole account number or wallet address.",
    );
  }
  const named = alphanumeric(payment.scheme);
  let scheme = ALIAS.get(named) ?? named;
  if (scheme === "" || scheme === "auto") scheme = recognised(plain);
  const text = withCase(scheme, plain);
  const flags = hasTheFormOf(scheme, text) ? [] : ["payment_form"];
  if (scheme === "iban" && !flags.length && !ibanCheck(text)) flags.push("iban_check_digits");
  return { kind: "payment", form: { scheme, text }, flags };
}

/** Whether an IBAN (upper case, no spaces) has right check digits (ISO 7064 MOD 97-10). */
export function ibanCheck(text) {
  const moved = text.slice(4) + text.slice(0, 4);
  const digits = [...moved].map((character) => String(parseInt(character, 36))).join("");
  return BigInt(digits) % IBAN_MODULUS === 1n;
}

function recognised(plain) {
  for (const scheme of PAYMENTS.recognised) {
    if (hasTheFormOf(scheme, withCase(scheme, plain))) return scheme;
  }
  throw new NormalisationError(
    "scheme",
    "The address has the form of no scheme that is recognised.",
    "Name the scheme, such as bitcoin, monero or iban.",
  );
}

function withCase(scheme, plain) {
  const kept = SCHEMES.get(scheme)?.case ?? "keep";
  if (kept === "upper") return plain.toUpperCase();
  const lower = plain.toLowerCase();
  const folded = PAYMENTS.folded_prefixes.some((prefix) => lower.startsWith(prefix));
  return kept === "fold" || folded ? lower : plain;
}

function hasTheFormOf(scheme, text) {
  const rule = SCHEMES.get(scheme);
  return rule === undefined || fitsWhole(rule.form, text);
}
