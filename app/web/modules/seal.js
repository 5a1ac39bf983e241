// Sealed envelopes: content that only its recipients read, in one place, from one known sealer.
// The counterpart of postern/seal.py.

import { gcm } from "@noble/ciphers/aes.js";
import { expand } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { big, framed, joined, same, utf8 } from "./bytes.js";
import {
  DIGEST_SIZE,
  LARGEST_CONTENT,
  LENGTH_SIZE,
  MOST_RECIPIENTS,
  SECRET_SIZE,
  STEP,
  checkSignature,
  contextDigest,
  encodedContext,
  encodedHead,
  parsed,
  signature,
} from "./envelope.js";
import { SealError } from "./seal_errors.js";

const LABEL = utf8("PN-seal-v1");
const DERIVED = utf8("PN-seal-content-v1");
const KEY_SIZE = 32; // bytes of AES-256
const NONCE = new Uint8Array(12); // constant, because each key encrypts one content only

/** An envelope around `content` for every recipient's PublicKey; throws SealError. */
export async function seal(content, context, recipients, identity) {
  if (content.length > LARGEST_CONTENT) throw new SealError("too-large");
  const kids = new Set(recipients.map((key) => key.kid.join()));
  if (!recipients.length || recipients.length > MOST_RECIPIENTS || kids.size < recipients.length) {
    throw new SealError("recipients");
  }
  const where = encodedContext(context);
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_SIZE));
  const [key, commitment] = derived(secret);
  const signer = identity.public.kid;
  const wrapped = [];
  for (const { suite, kid, ...rest } of recipients.map(named)) {
    const ciphertext = await rest.key.encrypt(secret, info(suite, kid, signer, where));
    wrapped.push({ suite, kid, ciphertext });
  }
  const head = encodedHead({
    signer,
    context: contextDigest(where),
    commitment,
    recipients: wrapped,
  });
  const sealed = gcm(key, NONCE, head).encrypt(padded(content));
  const body = joined(head, big(sealed.length, LENGTH_SIZE), sealed);
  return joined(body, signature(body, identity));
}

/**
 * The content of an envelope found in `context`, with any of `keys`, by one of `signers`.
 *
 * Throws SealError; nothing is decrypted before signature and context hold.
 */
export async function openEnvelope(raw, context, keys, signers) {
  const envelope = parsed(raw);
  checkSignature(envelope, signers);
  const where = encodedContext(context);
  if (!same(envelope.head.context, contextDigest(where))) throw new SealError("context-mismatch");
  const secret = await unwrapped(envelope.head, where, keys);
  const [key, commitment] = derived(secret);
  if (!same(commitment, envelope.head.commitment)) throw new SealError("recipient-swapped");
  let whole;
  try {
    whole = gcm(key, NONCE, encodedHead(envelope.head)).decrypt(envelope.sealed);
  } catch {
    throw new SealError("damaged");
  }
  return unpadded(whole);
}

function named(key) {
  return { suite: key.suite, kid: key.kid, key };
}

async function unwrapped(head, where, keys) {
  for (const part of head.recipients) {
    const key = keys.find(
      (each) => each.public.suite === part.suite && same(each.public.kid, part.kid),
    );
    if (!key) continue;
    try {
      return await key.decrypt(part.ciphertext, info(part.suite, part.kid, head.signer, where));
    } catch {
      throw new SealError("recipient-swapped");
    }
  }
  throw new SealError("not-a-recipient");
}

function info(suite, kid, signer, where) {
  // The signer's key is part of it: else anyone could sign another's envelope as their own.
  return joined(framed(LABEL, big(suite, 2), kid, signer), where);
}

/** The content's key, and the commitment to it that tells nothing about it. */
function derived(secret) {
  const both = expand(sha256, secret, DERIVED, KEY_SIZE + DIGEST_SIZE);
  return [both.slice(0, KEY_SIZE), both.slice(KEY_SIZE)];
}

function padded(content) {
  const begun = LENGTH_SIZE + content.length;
  return joined(big(content.length, LENGTH_SIZE), content, new Uint8Array((STEP - (begun % STEP)) % STEP));
}

function unpadded(whole) {
  const length = whole.slice(0, LENGTH_SIZE).reduce((sum, byte) => sum * 256 + byte, 0);
  const content = whole.slice(LENGTH_SIZE, LENGTH_SIZE + length);
  const filling = whole.subarray(LENGTH_SIZE + length);
  // One content has one padding: a sealer could else mark what it sends to each recipient.
  const isOnly = content.length === length && filling.length < STEP && !filling.some(Boolean);
  if (!isOnly || length > LARGEST_CONTENT) throw new SealError("damaged");
  return content;
}
