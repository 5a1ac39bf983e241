// From the columns of one value back to the value: what was sealed of it is normalised again.
// The counterpart of VALUE_FIELDS in postern/rows.py and of tokens_again in postern/sealed_content.py.

import { FaultError } from "./faults.js";
import { sightingsOf } from "./rows.js";

export const LONGEST_FIELD = 1000; // characters of a column that is sealed

const POSTAL = ["street", "street_2", "house_number", "box", "postcode", "city", "country"];

/** The columns that a value of each kind may come from, as those of a row about one party. */
export const VALUE_FIELDS = new Map([
  ["party", ["name", "business", ...POSTAL]],
  ["address", POSTAL],
  ["phone", ["phone", "country"]],
  ["email", ["email"]],
  ["item", ["item_id", "item_scheme"]],
  ["vendor", ["vendor_handle", "vendor_market"]],
  ["pgp", ["pgp"]],
  ["payment", ["payment", "payment_scheme"]],
]);

/** The value that `normalise` takes, or null when the columns do not read as one of the kind. */
export function valueOf(kind, fields) {
  let found;
  try {
    found = sightingsOf(fields, { operator: "", country: "" }).sightings;
  } catch (error) {
    if (error instanceof FaultError) return null;
    throw error;
  }
  return found.length === 1 && found[0].kind === kind ? found[0].value : null;
}
