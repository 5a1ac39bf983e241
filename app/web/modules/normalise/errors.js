// The one error of normalising: nothing usable stands in a field. It never repeats the value.

export class NormalisationError extends Error {
  constructor(field, reason, remedy) {
    super(`${field}: ${reason} ${remedy}`);
    this.name = "NormalisationError";
    this.field = field;
    this.reason = reason;
    this.remedy = remedy;
  }
}

export const MAX_FIELD_LENGTH = 200; // code points of one field
export const MAX_LINES = 6; // address lines of one party

/** How many code points a text has, as Python counts them. */
export function lengthOf(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
