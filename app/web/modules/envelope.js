// The binary form of a sealed envelope, and the context to which it is bound.
// The counterpart of postern/envelope.py; docs/keys.md describes it.

import { sha256, sha512 } from "@noble/hashes/sha2.js";

import { big, framed, joined, same, utf8 } from "./bytes.js";
import { KID_SIZE, overhead } from "./hpke.js";
import { SIGNATURE_SIZE } from "./identity.js";
import { SealError } from "./seal_errors.js";
import { TOKEN_SIZE } from "./tokens.js";

export const LARGEST_CONTENT = 10_000_000; // bytes, before padding
export const MOST_RECIPIENTS = 16;
export const STEP = 256; // bytes to a multiple of which content is padded
export const SECRET_SIZE = 32; // bytes wrapped for each recipient
export const DIGEST_SIZE = 32;
export const LENGTH_SIZE = 4;
export const TAG_SIZE = 16;

const LARGEST_SEALED = Math.ceil((LENGTH_SIZE + LARGEST_CONTENT) / STEP) * STEP + TAG_SIZE;
const LARGEST_EPOCH = 2 ** 32 - 1;
const START = joined(utf8("PNSE"), new Uint8Array([1, 0, 2]));
const CONTEXT_LABEL = utf8("PN-seal-context-v1");
const SIGNED = utf8("PN-seal-signature-v1");
const ORGANISATION = /^[a-z0-9-]{2,40}$/;
const REFERENCE = /^[A-Za-z0-9._:-]{1,128}$/;
const RECORD = /^[A-Za-z0-9._:/-]{1,128}$/;
const WORD = /^[a-z0-9_]{1,32}$/;
const PART = /^[a-z0-9_]{1,32}(\/[0-9]{1,6})?$/;
const FORMS = new Map([
  ["owner", ORGANISATION],
  ["kind", WORD],
  ["record", RECORD],
  ["part", PART],
  ["request", REFERENCE],
  ["requester", ORGANISATION],
  ["approver", REFERENCE],
]);

/**
 * The bytes of a context {owner, kind, epoch, token, record, part} and, for a disclosure, also
 * {request, requester, approver}. Throws SealError "context-invalid".
 */
export function encodedContext(context) {
  const isResealed = context.request !== undefined;
  for (const [name, form] of FORMS) {
    const isThere = isResealed || !["request", "requester", "approver"].includes(name);
    if (isThere && !form.test(context[name] ?? "")) throw new SealError("context-invalid", name);
  }
  const { epoch, token } = context;
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > LARGEST_EPOCH) {
    throw new SealError("context-invalid", "epoch");
  }
  if (token.length !== 0 && token.length !== TOKEN_SIZE) {
    throw new SealError("context-invalid", "token");
  }
  const words = isResealed ? [context.request, context.requester, context.approver] : [];
  return framed(
    utf8(context.owner),
    utf8(context.kind),
    big(epoch, 4),
    token,
    utf8(context.record),
    utf8(context.part),
    ...words.map(utf8),
  );
}

/** 32 bytes by which an envelope in the wrong place is told from a changed one. */
export function contextDigest(encoded) {
  return sha256(joined(framed(CONTEXT_LABEL), encoded));
}

/** The bytes of a head {signer, context, commitment, recipients: [{suite, kid, ciphertext}]}. */
export function encodedHead(head) {
  return joined(
    START,
    head.signer,
    head.context,
    head.commitment,
    big(head.recipients.length, 1),
    ...head.recipients.flatMap((each) => [big(each.suite, 2), each.kid, each.ciphertext]),
  );
}

/** What a sealer puts after `body`, 64 bytes. */
export function signature(body, identity) {
  return identity.sign(SIGNED, sha512(body));
}

/** The parts {head, sealed, signed, signature} of an envelope; throws "malformed". */
export function parsed(raw) {
  const reading = new Reading(raw);
  if (!same(reading.take(START.length), START)) throw new SealError("malformed");
  const head = {
    signer: reading.take(KID_SIZE),
    context: reading.take(DIGEST_SIZE),
    commitment: reading.take(DIGEST_SIZE),
    recipients: [],
  };
  const count = reading.number(1);
  if (count < 1 || count > MOST_RECIPIENTS) throw new SealError("malformed");
  for (let each = 0; each < count; each += 1) head.recipients.push(reading.recipient());
  const length = reading.number(LENGTH_SIZE);
  const isOfAContent =
    length >= STEP + TAG_SIZE && length <= LARGEST_SEALED && (length - TAG_SIZE) % STEP === 0;
  if (!isOfAContent) throw new SealError("malformed");
  const sealed = reading.take(length);
  const signed = reading.before();
  const found = { head, sealed, signed, signature: reading.take(SIGNATURE_SIZE) };
  reading.end();
  return found;
}

/** Return when one of `signers` signed it; throws "signer-unknown" or "signature". */
export function checkSignature(envelope, signers) {
  const signer = signers.find((key) => same(key.kid, envelope.head.signer));
  if (!signer) throw new SealError("signer-unknown");
  if (!signer.signed(envelope.signature, SIGNED, sha512(envelope.signed))) {
    throw new SealError("signature");
  }
}

/** Takes bytes from the front; too few or any left over are an error. */
class Reading {
  #raw;
  #at = 0;

  constructor(raw) {
    this.#raw = raw;
  }

  take(size) {
    const part = this.#raw.subarray(this.#at, this.#at + size);
    if (part.length !== size) throw new SealError("malformed");
    this.#at += size;
    return part;
  }

  number(size) {
    return this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  recipient() {
    const suite = this.number(2);
    const longer = overhead(suite);
    if (longer === undefined) throw new SealError("malformed");
    return { suite, kid: this.take(KID_SIZE), ciphertext: this.take(SECRET_SIZE + longer) };
  }

  before() {
    return this.#raw.subarray(0, this.#at);
  }

  end() {
    if (this.#at !== this.#raw.length) throw new SealError("malformed");
  }
}
