// Chains of directory entries: the keys of an organisation, each entry signed by itself and by the
// one before. The counterpart of postern/organisation_entry.py, organisation_pins.py and sealing.py.

import { sha256 } from "@noble/hashes/sha2.js";

import { fromBase64url, same, toBase64url, utf8 } from "./bytes.js";
import { PublicKey } from "./hpke.js";
import { SIGNATURE_SIZE, VerifyingKey } from "./identity.js";
import { canonical, grouped } from "./key_document.js";

const LONGEST_CHAIN = 200; // entries
const DIGEST_SIZE = 32; // bytes
const FINGERPRINT_SIZE = 20; // bytes
const SIGNED = utf8("PN-organisation-entry-v1");
const SUCCEEDS = utf8("PN-organisation-entry-successor-v1");
const ORGANISATION = /^[a-z0-9-]{2,40}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const OF_ENTRY = [
  "version",
  "organisation",
  "number",
  "valid_from",
  "sealing",
  "recovery",
  "signing",
  "previous",
];

/** An entry breaks a rule of its form, or does not follow from the one before it. */
export class EntryRefusedError extends Error {
  constructor(rule) {
    super(`The directory entry of an organisation is refused: ${rule}. Seal nothing to it.`);
    this.name = "EntryRefusedError";
  }
}

/** No entry of an organisation is published, or none is valid yet. */
export class OrganisationUnknownError extends Error {
  constructor(organisation) {
    super(`${organisation} has published no keys that are valid now.`);
    this.name = "OrganisationUnknownError";
  }
}

/** The keys offered are not those accepted before; `swapped` is {number, pinned, offered}. */
export class KeySwappedError extends Error {
  constructor(organisation, swapped) {
    super(`STOP. THE KEYS OF ${organisation.toUpperCase()} WERE SWAPPED. Nothing was sealed.`);
    this.name = "KeySwappedError";
    this.swapped = swapped;
  }
}

/** The unlocked keys are not those that are published; `code`: unpublished, older, newer, early. */
export class OwnKeysError extends Error {
  constructor(code) {
    super("The keys in the key file are not those under which others know the organisation.");
    this.name = "OwnKeysError";
    this.code = code;
  }
}

/** The entries [{entry, digest, signing, recipients, from}] of a chain on the wire, checked. */
export function readChain(raw, organisation) {
  require(Array.isArray(raw) && raw.length >= 1 && raw.length <= LONGEST_CHAIN, "there is no list of them");
  const chain = raw.map(readEntry);
  require(chain[0].entry.number === 1, "the first of the chain is missing");
  require(raw[0].previous_signature === null, "the first is signed by one before it");
  for (let at = 1; at < chain.length; at += 1) checkSuccessor(chain[at - 1], chain[at], raw[at]);
  require(chain[0].entry.organisation === organisation, `it is not of ${organisation}`);
  return chain;
}

/**
 * What is used of another organisation's published chain: {organisation, fingerprint, recipients,
 * signers, chain}; `pinned` is the chain accepted before, if any. `signers` are all of them, present
 * and earlier. Throws EntryRefusedError, KeySwappedError, OrganisationUnknownError.
 */
export function followed(organisation, offered, pinned, now = Date.now()) {
  if (!offered.length && !pinned) throw new OrganisationUnknownError(organisation);
  if (pinned) checkGrown(organisation, pinned, offered);
  let chain;
  try {
    chain = readChain(offered, organisation);
  } catch (error) {
    // A new entry that does not follow from the pinned ones is told as what it is.
    if (pinned) throw new KeySwappedError(organisation, firstDifference(pinned, offered));
    throw error;
  }
  const present = chain.filter((each) => each.from <= now).at(-1);
  if (!present) throw new OrganisationUnknownError(organisation);
  return { ...shown(organisation, chain, present), chain: offered };
}

/** {fingerprint, recipients} of the unlocked `keys`, when they are the published ones and valid. */
export function checkOwn(keys, organisation, published, now = Date.now()) {
  if (!published.length) throw new OwnKeysError("unpublished");
  const ours = keys.chain;
  for (let at = 0; at < Math.min(ours.length, published.length); at += 1) {
    if (!isSameEntry(ours[at], published[at])) {
      throw new KeySwappedError(organisation, firstDifference(ours, published));
    }
  }
  if (published.length > ours.length) throw new OwnKeysError("older");
  if (published.length < ours.length) throw new OwnKeysError("newer");
  const chain = readChain(ours, organisation);
  const present = chain.at(-1);
  if (present.from > now) throw new OwnKeysError("early");
  return shown(organisation, chain, present);
}

/** Bytes of an entry's fingerprint, grouped for comparing by telephone. */
function fingerprintOf(digest) {
  return grouped(digest.slice(0, FINGERPRINT_SIZE));
}

function shown(organisation, chain, present) {
  return {
    organisation,
    fingerprint: fingerprintOf(present.digest),
    recipients: present.recipients.map(({ suite, raw }) => ({ suite, public_key: toBase64url(raw) })),
    signers: chain.map((each) => toBase64url(each.signing.raw)),
  };
}

function checkGrown(organisation, pinned, offered) {
  const isGrown =
    offered.length >= pinned.length && pinned.every((each, at) => isSameEntry(each, offered[at]));
  if (!isGrown) throw new KeySwappedError(organisation, firstDifference(pinned, offered));
}

function isSameEntry(one, other) {
  return other?.entry !== undefined && canonical(one.entry) === canonical(other.entry);
}

/** The first entry that is not the same, with its fingerprint on either side or "". */
function firstDifference(pinned, offered) {
  const told = (signed) => (signed?.entry ? fingerprintOf(digestOf(signed.entry)) : "");
  const most = Math.max(pinned.length, offered.length);
  for (let at = 0; at < most; at += 1) {
    if (told(pinned[at]) !== told(offered[at])) {
      return { number: at + 1, pinned: told(pinned[at]), offered: told(offered[at]) };
    }
  }
  return { number: pinned.length, pinned: "", offered: "" };
}

function checkSuccessor(before, after, raw) {
  const { entry } = after;
  require(entry.organisation === before.entry.organisation, "it is of another organisation");
  require(entry.number === before.entry.number + 1, "an entry before it is missing");
  require(same(octets(entry.previous, DIGEST_SIZE), before.digest), "it names another entry as the one before it");
  require(after.from > before.from, "it does not begin after the one before it");
  const by = octets(raw.previous_signature, SIGNATURE_SIZE);
  const isSigned = before.signing.signed(by, SUCCEEDS, utf8(canonical(entry)));
  require(isSigned, "the signing key of the entry before it did not sign it");
}

function readEntry(raw) {
  only(raw, ["entry", "signature", "previous_signature"]);
  const { entry } = raw;
  only(entry, OF_ENTRY);
  require(entry.version === 1, "it is of a version not known here");
  require(ORGANISATION.test(entry.organisation), "its organisation is not a code");
  const isNumbered = Number.isInteger(entry.number) && entry.number >= 1 && entry.number <= LONGEST_CHAIN;
  require(isNumbered, "its number is out of bounds");
  require((entry.previous === null) === (entry.number === 1), "only the first has none before it");
  const from = MOMENT.test(entry.valid_from) ? Date.parse(entry.valid_from) : NaN;
  require(!Number.isNaN(from), "its beginning is not written in UTC with Z");
  const recipients = [publicKey(entry.sealing), publicKey(entry.recovery)];
  require(!same(recipients[0].kid, recipients[1].kid), "its two sealing keys are one");
  only(entry.signing, ["kid", "public_key"]);
  const signing = new VerifyingKey(octets(entry.signing.public_key, 32));
  require(same(signing.kid, octets(entry.signing.kid)), "the name of a key does not follow from it");
  const signature = octets(raw.signature, SIGNATURE_SIZE);
  require(signing.signed(signature, SIGNED, utf8(canonical(entry))), "its signature does not fit it");
  return { entry, digest: digestOf(entry), signing, recipients, from };
}

function publicKey(found) {
  only(found, ["suite", "kid", "public_key"]);
  let key;
  try {
    key = new PublicKey(found.suite, octets(found.public_key));
  } catch {
    throw new EntryRefusedError("a key of it is none of its suite");
  }
  require(same(key.kid, octets(found.kid)), "the name of a key does not follow from it");
  return key;
}

function digestOf(entry) {
  return sha256(utf8(canonical(entry)));
}

function octets(written, size = null) {
  const bytes = typeof written === "string" ? fromBase64url(written) : null;
  require(bytes !== null && (size === null || bytes.length === size), "it lacks bytes of the right length");
  return bytes;
}

function only(found, names) {
  const own = found !== null && typeof found === "object" ? Object.keys(found) : [];
  const isWhole = own.length === names.length && names.every((name) => own.includes(name));
  require(isWhole, "it lacks a field or has one too many");
}

function require(holds, rule) {
  if (!holds) throw new EntryRefusedError(rule);
}
