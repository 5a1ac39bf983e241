// Who holds a shared evaluation key, as the key document says it. The counterpart of KeySharing in
// postern/key_sharing.py.

import { fromBase64url, same } from "./bytes.js";
import { LEAST_THRESHOLD, MOST_HOLDERS, added, isElement } from "./threshold.js";

export const PLATFORM_PART = "platform"; // which no holder may be called
const ELEMENT_SIZE = 32; // bytes
const NAME = /^[a-z0-9-]{2,40}$/;

/**
 * {platformKey, commitments, holders: [{number, name}], threshold} of an epoch's `sharing`; null when
 * it breaks a rule or its keys do not add up to the epoch's `publicKey`.
 */
export function readSharing(raw, publicKey) {
  if (!hasOnly(raw, ["platform_key", "commitments", "holders"])) return null;
  const { commitments: written, holders } = raw;
  if (!Array.isArray(written) || !Array.isArray(holders) || holders.length > MOST_HOLDERS) return null;
  const platformKey = elementOf(raw.platform_key);
  const commitments = written.map(elementOf);
  if (platformKey === null || commitments.includes(null)) return null;
  if (commitments.length < LEAST_THRESHOLD || commitments.length > holders.length) return null;
  if (!holders.every(isHolder)) return null;
  for (const part of ["number", "name"]) {
    if (new Set(holders.map((each) => each[part])).size !== holders.length) return null;
  }
  if (!same(added(platformKey, commitments[0]), publicKey)) return null;
  return { platformKey, commitments, holders, threshold: commitments.length };
}

function isHolder(raw) {
  const isNumbered = Number.isInteger(raw?.number) && raw.number >= 1 && raw.number <= MOST_HOLDERS;
  const isNamed = typeof raw?.name === "string" && NAME.test(raw.name) && raw.name !== PLATFORM_PART;
  return hasOnly(raw, ["number", "name"]) && isNumbered && isNamed;
}

function elementOf(written) {
  const bytes = typeof written === "string" ? fromBase64url(written) : null;
  return bytes?.length === ELEMENT_SIZE && isElement(bytes) ? bytes : null;
}

function hasOnly(raw, names) {
  const own = raw !== null && typeof raw === "object" ? Object.keys(raw) : [];
  return own.length === names.length && names.every((name) => own.includes(name));
}
