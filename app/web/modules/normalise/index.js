// From a value as people write it to one canonical form, by the tables that Python reads too.
// The counterpart of postern/normalise/__init__.py. A value is an object with the fields of
// postern/normalise/values.py; fields that are left out are empty.

import { normaliseEmail, normalisePgp, normalisePhone } from "./contacts.js";
import { normaliseInductionPoint, normaliseVendor } from "./handles.js";
import { normaliseItem } from "./items.js";
import { normalisePayment } from "./payments.js";
import { normaliseAddress, normaliseParty } from "./postal.js";

export { NormalisationError } from "./errors.js";

export const NORMALISER_VERSION = "1";

const POSTAL = { lines: [], postcode: "", city: "", country: "" };

const NORMALISERS = new Map([
  ["party", [normaliseParty, { name: "", ...POSTAL }]],
  ["address", [normaliseAddress, POSTAL]],
  ["induction_point", [normaliseInductionPoint, { operator: "", code: "", country: "" }]],
  ["vendor", [normaliseVendor, { market: "", handle: "" }]],
  ["pgp", [normalisePgp, { fingerprint: "" }]],
  ["phone", [normalisePhone, { number: "", country: "" }]],
  ["email", [normaliseEmail, { address: "" }]],
  ["payment", [normalisePayment, { scheme: "", address: "" }]],
  ["item", [normaliseItem, { scheme: "", value: "" }]],
]);

/** {kind, form, flags} of a value of a kind; throws NormalisationError. */
export function normalise(kind, value) {
  const [read, empty] = NORMALISERS.get(kind);
  return read({ ...empty, ...value });
}
