// The platform's signed key document: which public key evaluates which kind, in which epoch.
// The counterpart of postern/key_document.py and postern/pins.py.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { fromBase64url, joined, utf8 } from "./bytes.js";
import { readSharing } from "./key_sharing.js";
import { NORMALISER_VERSION } from "./normalise/index.js";

const SIGNED = utf8("PN-keys-v1\n"); // keeps this signature apart from any other by the same key
const VERSION = 1;
const CLOCK_TOLERANCE = 300_000; // milliseconds by which a clock here may be behind
const FINGERPRINT_SIZE = 20; // bytes
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** `code`: malformed, signature, not-yet-valid, expired, no-key, normaliser, changed, unpinned. */
export class KeyDocumentError extends Error {
  constructor(code, sentence) {
    super(sentence);
    this.name = "KeyDocumentError";
    this.code = code;
  }
}

/** 160 bits of SHA-256 of a public key for people to compare: 8 groups of 4 base32 digits. */
export function fingerprint(publicKey) {
  return grouped(sha256(publicKey).slice(0, FINGERPRINT_SIZE));
}

/** Bytes as base32 digits in groups of four. */
export function grouped(bytes) {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  const digits = bits.match(/.{1,5}/g).map((five) => BASE32[parseInt(five.padEnd(5, "0"), 2)]);
  return digits.join("").match(/.{1,4}/g).join("-");
}

/**
 * {document, fingerprint} of a wire form, once signature and dates hold; throws KeyDocumentError.
 *
 * The caller compares the fingerprint with what a person confirmed before anything is used.
 */
export function readKeyDocument(raw, now = Date.now()) {
  const key = bytesOf(raw?.key, 32);
  const { document } = raw;
  const signature = bytesOf(raw.signature, 64);
  const message = joined(SIGNED, utf8(canonical(document)));
  let holds = false;
  try {
    holds = ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    holds = false;
  }
  if (!holds) {
    throw new KeyDocumentError(
      "signature",
      "The platform's keys are not signed by the key they name. Tell your compliance officer.",
    );
  }
  if (document.version !== VERSION || !Array.isArray(document.epochs)) throw malformed();
  const [issued, expires] = [moment(document.issued_at), moment(document.expires_at)];
  if (now + CLOCK_TOLERANCE < issued) {
    throw new KeyDocumentError(
      "not-yet-valid",
      "The platform's keys are of the future. Set the clock of this machine.",
    );
  }
  if (now >= expires) {
    throw new KeyDocumentError(
      "expired",
      "The platform's keys have expired. Reload the page; if it goes on, tell the operator.",
    );
  }
  return { document, fingerprint: fingerprint(key) };
}

/**
 * The newest epoch {epoch, publicKey, sharing} of a kind that is valid now; `sharing` is null for a
 * key that the platform holds alone. Throws KeyDocumentError.
 */
export function epochOf(document, kind, now = Date.now()) {
  const found = newestOf(document, kind, now);
  if (!found) {
    throw new KeyDocumentError("no-key", `No key for values of the kind ${kind} is valid now.`);
  }
  if (found.norm !== NORMALISER_VERSION) {
    throw new KeyDocumentError(
      "normaliser",
      "The platform's keys are for other rules of normalising. Reload the page.",
    );
  }
  const publicKey = bytesOf(found.public_key, 32);
  const sharing = found.sharing === undefined ? null : readSharing(found.sharing, publicKey);
  if (found.sharing !== undefined && sharing === null) throw malformed();
  return { epoch: found.epoch, publicKey, sharing };
}

/**
 * Whose signature is asked for: {kinds, others, holders, threshold}. `kinds` are those whose keys
 * are shared now, `others` those whose are not, `holders` the names of all who hold shares.
 */
export function sharedKeys(document, now = Date.now()) {
  const all = [...new Set(document.epochs.map((each) => each.kind))];
  const present = all.map((kind) => newestOf(document, kind, now)).filter(Boolean);
  const shared = present.filter((each) => each.sharing);
  return {
    kinds: shared.map((each) => each.kind),
    others: present.filter((each) => !each.sharing).map((each) => each.kind),
    holders: [...new Set(shared.flatMap((each) => each.sharing.holders.map(({ name }) => name)))],
    threshold: Math.max(0, ...shared.map((each) => each.sharing.commitments.length)),
  };
}

function newestOf(document, kind, now) {
  const isValid = (each) => moment(each.valid_from) <= now && now < moment(each.valid_to);
  return document.epochs.filter((each) => each.kind === kind && isValid(each)).at(-1);
}

/** Return when a new document changes nothing that was accepted; throws "changed". */
export function compareWithPinned(pinned, offered) {
  const name = (each) => `${each.kind}/${each.epoch}`;
  const left = new Map(offered.epochs.map((each) => [name(each), each]));
  for (const each of pinned.epochs) {
    const found = left.get(name(each));
    left.delete(name(each));
    if (!found) {
      if (moment(offered.issued_at) < moment(each.valid_to)) throw changed(each);
    } else if (found.public_key !== each.public_key || found.norm !== each.norm) {
      throw changed(each);
    }
  }
  const newest = new Map(pinned.epochs.map((each) => [each.kind, each.epoch]));
  for (const each of left.values()) {
    if (each.epoch < (newest.get(each.kind) ?? 0)) throw changed(each);
  }
}

/** RFC 8785 for what a key document contains: strings, integers, lists, ASCII field names. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const fields = Object.keys(value)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
    return `{${fields.join(",")}}`;
  }
  return JSON.stringify(value);
}

function changed(each) {
  return new KeyDocumentError(
    "changed",
    `STOP. The key of ${each.kind}, epoch ${each.epoch}, is not the one accepted before. Nothing ` +
      "was sent. Tell your compliance officer and the platform's operator.",
  );
}

function moment(written) {
  const at = typeof written === "string" && written.endsWith("Z") ? Date.parse(written) : NaN;
  if (Number.isNaN(at)) throw malformed();
  return at;
}

function bytesOf(written, size) {
  const bytes = typeof written === "string" ? fromBase64url(written) : null;
  if (bytes === null || bytes.length !== size) throw malformed();
  return bytes;
}

function malformed() {
  return new KeyDocumentError(
    "malformed",
    "The platform's keys are not of the form known here. Reload the page.",
  );
}
