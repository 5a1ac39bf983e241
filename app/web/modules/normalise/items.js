// Identifiers of items: UPU S10, UPS 1Z, SSCC and the carriers' own.
// The counterpart of postern/normalise/items.py; a wrong check digit is a warning, never a refusal.

import { ISO } from "./countries.js";
import { MAX_FIELD_LENGTH, NormalisationError, lengthOf } from "./errors.js";
import { alphanumeric } from "./folding.js";

const S10 = /^([a-z])([a-z])([0-9]{8})([0-9])([a-z]{2})$/;
const UPS = /^1z([0-9a-z]{15})([0-9])$/;
const SSCC = /^(?:00)?([0-9]{17})([0-9])$/;
const CARRIER = /^[0-9a-z]{6,40}$/;
const S10_WEIGHTS = [8, 6, 4, 2, 3, 5, 9, 7];
const S10_RESERVED = new Set("jkstw");
const SSCC_APPLICATION_DIGITS = 20; // with the application identifier 00 in front

/** The identifier in upper case without spaces, with its scheme; throws NormalisationError. */
export function normaliseItem(item) {
  if (lengthOf(item.value) > MAX_FIELD_LENGTH) {
    throw new NormalisationError(
      "value",
      `It is longer than ${MAX_FIELD_LENGTH} characters.`,
      "Give the identifier only.",
    );
  }
  const plain = alphanumeric(item.value);
  if (!plain) {
    throw new NormalisationError(
      "value",
      "It holds no letter and no digit.",
      "Give the identifier of the item.",
    );
  }
  let scheme = alphanumeric(item.scheme);
  if (scheme === "" || scheme === "auto") scheme = recognised(plain);
  const read = READERS.get(scheme);
  if (read === undefined) {
    throw new NormalisationError(
      "scheme",
      "This scheme of item identifiers is not known.",
      "Use s10, ups, sscc, carrier or auto.",
    );
  }
  const [text, flags] = read(plain);
  return { kind: "item", form: { scheme, text }, flags };
}

/** The check digit of an 8-digit S10 serial: weights 8 6 4 2 3 5 9 7, modulo 11 (UPU S10). */
export function s10CheckDigit(serial) {
  const total = S10_WEIGHTS.reduce((sum, weight, place) => sum + weight * Number(serial[place]), 0);
  const digit = 11 - (total % 11);
  if (digit === 10) return 0;
  return digit === 11 ? 5 : digit;
}

/** The modulo-10 check digit of `digits`: weights 3 and 1 from the right (GS1, 7.9). */
export function gs1CheckDigit(digits) {
  const total = [...digits]
    .reverse()
    .reduce((sum, digit, place) => sum + Number(digit) * (place % 2 ? 1 : 3), 0);
  return (10 - (total % 10)) % 10;
}

/** The check digit of the 15 characters after 1Z; a letter counts as (code - 63) mod 10. */
export function upsCheckDigit(body) {
  const total = [...body].reduce((sum, character, place) => {
    const isDigit = character >= "0" && character <= "9";
    const code = character.toUpperCase().charCodeAt(0);
    return sum + (isDigit ? Number(character) : (code - 63) % 10) * (place % 2 ? 2 : 1);
  }, 0);
  return (10 - (total % 10)) % 10;
}

function recognised(plain) {
  if (S10.test(plain)) return "s10";
  if (UPS.test(plain)) return "ups";
  const sscc = SSCC.exec(plain);
  const certain = plain.length === SSCC_APPLICATION_DIGITS;
  if (sscc && (certain || gs1CheckDigit(sscc[1]) === Number(sscc[2]))) return "sscc";
  return "carrier";
}

function readS10(plain) {
  const match = S10.exec(plain);
  if (!match) {
    throw new NormalisationError(
      "value",
      "An S10 identifier has two letters, nine digits and two letters.",
      "Check the identifier, or give scheme carrier when it is not S10.",
    );
  }
  const [, service, , serial, check, country] = match;
  const flags = [];
  if (s10CheckDigit(serial) !== Number(check)) flags.push("s10_check_digit");
  if (!ISO.has(country)) flags.push("s10_country");
  if (S10_RESERVED.has(service)) flags.push("s10_service");
  return [plain.toUpperCase(), flags];
}

function readUps(plain) {
  const match = UPS.exec(plain);
  if (!match) {
    throw new NormalisationError(
      "value",
      "A UPS number is 1Z, fifteen letters or digits and a check digit.",
      "Check the number, or give scheme carrier.",
    );
  }
  const wrong = upsCheckDigit(match[1]) !== Number(match[2]);
  return [plain.toUpperCase(), wrong ? ["ups_check_digit"] : []];
}

function readSscc(plain) {
  const match = SSCC.exec(plain);
  if (!match) {
    throw new NormalisationError(
      "value",
      "An SSCC has 18 digits, or 20 with the application identifier 00.",
      "Check the code, or give scheme carrier.",
    );
  }
  const wrong = gs1CheckDigit(match[1]) !== Number(match[2]);
  return [match[1] + match[2], wrong ? ["sscc_check_digit"] : []];
}

function readCarrier(plain) {
  if (!CARRIER.test(plain)) {
    throw new NormalisationError(
      "value",
      "A carrier's identifier has between 6 and 40 letters and digits.",
      "Give the whole identifier.",
    );
  }
  return [plain.toUpperCase(), []];
}

const READERS = new Map([
  ["s10", readS10],
  ["ups", readUps],
  ["sscc", readSscc],
  ["carrier", readCarrier],
]);
