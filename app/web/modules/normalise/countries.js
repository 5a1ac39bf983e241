// Country codes. The counterpart of postern/normalise/countries.py.

import COUNTRIES from "../../../../postern/normalise/tables/countries.json" with { type: "json" };

import { alphanumeric } from "./folding.js";

export const ISO = new Set(COUNTRIES.iso);
const ALIAS = new Map(Object.entries(COUNTRIES.alias));

/** [code, flags]: ISO 3166-1 alpha-2 in lower case, or "" when it is empty or unknown (flagged). */
export function countryCode(text) {
  const plain = alphanumeric(text);
  const code = ALIAS.get(plain) ?? plain;
  if (!code) return ["", []];
  return ISO.has(code) ? [code, []] : ["", ["unknown_country"]];
}
