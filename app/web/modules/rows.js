// From one row of a file, or a form, to the values that become indicators, and the coarse fields.
// The counterpart of postern/rows.py.

import { readAddress } from "./address_text.js";
import { PARTIES } from "./columns.js";
import { FaultError, fault, stripped } from "./faults.js";
import { facetsOf } from "./facets.js";
import { countryCode } from "./normalise/countries.js";
import { lengthOf } from "./normalise/errors.js";
import { NormalisationError, normalise } from "./normalise/index.js";
import { readShipment } from "./shipment.js";
import { termsOfRow } from "./terms.js";

const LONGEST_NOTE = 10_000; // characters
const LONGEST_FIELD = 1000; // characters of a column that is sealed
const LONGEST_FLAG = 40;
const PLACE_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}$/; // as the platform takes it
const ROLES = new Map([["sender", "sender"], ["addressee", "addressee"]]);
const POSTAL = ["street", "street_2", "house_number", "box", "postcode", "city", "country"];
const WHAT_TO_GIVE =
  "Give an address, a name with an address, a telephone number, an e-mail address, an item " +
  "identifier, an induction point, a vendor, a key or a payment address.";

/**
 * What a row says: {sightings: [{source, role, kind, value, form, flags, place, fields}], shipment,
 * terms, flags, note}. Throws FaultError with everything that is wrong with it.
 *
 * `reading` is {today, terms, units, operator, country, seals}, as in Python.
 */
export function readRow(row, reading) {
  const faults = [];
  const collected = (work) => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };
  const terms = collected(() => termsOfRow(row, reading.terms, reading.today));
  const seen = collected(() => sightingsOf(row, reading));
  if (reading.seals) faults.push(...tooLong(row));
  if (faults.length) throw new FaultError(faults);
  const { sightings, doubts } = seen;
  if (!sightings.length) {
    const [reason, names] = doubts.length
      ? ["%(column)s alone holds too little to be compared; it was not sent.", { column: sourceOf(doubts[0]) }]
      : ["It holds nothing to compare.", {}];
    throw new FaultError([fault("row", reason, WHAT_TO_GIVE, names)]);
  }
  const { shipment, flags } = readShipment(row, reading.units);
  const note = reading.seals ? (row.note ?? "") : "";
  return { sightings, shipment, terms, flags: [...doubts, ...flags], note };
}

/** The values of a row that can be compared, and flags for those that hold too little. */
export function sightingsOf(row, reading) {
  const sightings = [];
  const faults = [];
  const doubts = [];
  for (const { source, role, kind, value, fields } of valuesOf(row, reading)) {
    let normalised;
    try {
      normalised = normalise(kind, value);
    } catch (error) {
      if (!(error instanceof NormalisationError)) throw error;
      faults.push(fault(source, error.reason, error.remedy));
      continue;
    }
    if (!facetsOf(normalised).length) {
      doubts.push(`${source}_holds_too_little`.slice(0, LONGEST_FLAG));
      continue;
    }
    let place = null;
    if (kind === "induction_point") {
      place = { operator: value.operator, code: value.code, country: countryCode(value.country)[0].toUpperCase() };
      faults.push(...faultsOfPlace(place));
    }
    const { form, flags } = normalised;
    sightings.push({ source, role, kind, value, form, flags, place, fields });
  }
  if (faults.length) throw new FaultError(faults);
  return { sightings, doubts };
}

function sourceOf(flag) {
  return flag.replace(/_holds_too_little$/, "");
}

function* tooLong(row) {
  for (const [name, text] of Object.entries(row)) {
    const most = name === "note" ? LONGEST_NOTE : LONGEST_FIELD;
    if (lengthOf(text) > most) yield fault(name, "It is longer than %(most)s characters.", "Shorten it.", { most });
  }
}

function* faultsOfPlace(place) {
  for (const [name, source] of [["operator", "induction_operator"], ["code", "induction_point"]]) {
    if (!PLACE_NAME.test(place[name])) {
      yield fault(source, "It is not a short name or code.", "Use up to 40 letters without accents, digits, spaces and . _ / -");
    }
  }
  if (!place.country) {
    yield fault(
      "induction_country",
      "The country of the induction point is not known.",
      "Choose it, or fill in the column induction_country.",
    );
  }
}

function* valuesOf(row, reading) {
  for (const party of ["", ...PARTIES]) yield* valuesOfParty(row, party, reading);
  if (row.item_id) {
    const value = { scheme: row.item_scheme ?? "auto", value: row.item_id };
    yield { source: "item_id", role: "shipment", kind: "item", value, fields: some(row, ["item_id", "item_scheme"]) };
  }
  if (row.induction_point) {
    const value = {
      operator: row.induction_operator || reading.operator,
      code: row.induction_point,
      country: row.induction_country || reading.country,
    };
    yield { source: "induction_point", role: "induction_point", kind: "induction_point", value, fields: {} };
  }
  if (row.vendor_handle) {
    const value = { market: row.vendor_market ?? "", handle: row.vendor_handle };
    yield { source: "vendor_handle", role: "vendor", kind: "vendor", value, fields: some(row, ["vendor_handle", "vendor_market"]) };
  }
  if (row.pgp) {
    yield { source: "pgp", role: "vendor", kind: "pgp", value: { fingerprint: row.pgp }, fields: { pgp: row.pgp } };
  }
  if (row.payment) {
    const value = { scheme: row.payment_scheme ?? "auto", address: row.payment };
    yield { source: "payment", role: "vendor", kind: "payment", value, fields: some(row, ["payment", "payment_scheme"]) };
  }
}

function* valuesOfParty(row, party, reading) {
  const prefix = party ? `${party}_` : "";
  const role = ROLES.get(party) ?? "unknown";
  const named = row[`${prefix}name`] ? "name" : "business";
  const name = row[`${prefix}${named}`] ?? "";
  const address = addressOf(row, prefix);
  if (name) {
    const fields = some(row, [named, ...POSTAL], prefix);
    yield { source: `${prefix}name`, role, kind: "party", value: { name, ...address }, fields };
  } else if (address.lines.length) {
    yield { source: `${prefix}street`, role, kind: "address", value: address, fields: some(row, POSTAL, prefix) };
  }
  const phone = row[`${prefix}phone`];
  if (phone) {
    const country = address.country || reading.country;
    const fields = { phone, ...(country ? { country } : {}) };
    yield { source: `${prefix}phone`, role, kind: "phone", value: { number: phone, country }, fields };
  }
  const email = row[`${prefix}email`];
  if (email) yield { source: `${prefix}email`, role, kind: "email", value: { address: email }, fields: { email } };
}

function some(row, names, prefix = "") {
  const found = {};
  for (const name of names) if (row[`${prefix}${name}`]) found[name] = row[`${prefix}${name}`];
  return found;
}

/** {lines, postcode, city, country} of a party; of one text that holds all, taken apart. */
export function addressOf(row, prefix) {
  const part = (name) => row[`${prefix}${name}`] ?? "";
  const [street, second, postcode, city, country] = ["street", "street_2", "postcode", "city", "country"].map(part);
  const [number, box] = [part("house_number"), part("box")];
  if (street && !(number || second || postcode || city)) return readAddress(street, country);
  const line = [street, number, box && `bus ${box}`].filter(Boolean).join(" ");
  const lines = [...splitLines(line), ...splitLines(second)];
  return { lines: lines.filter((each) => stripped(each)), postcode, city, country };
}

function splitLines(text) {
  return text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
}
