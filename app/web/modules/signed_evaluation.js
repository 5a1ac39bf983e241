// The organisation's own word for an evaluation, which holders of key shares ask for.
// The counterpart of postern/signed_evaluation.py.

import { sha512 } from "@noble/hashes/sha2.js";

import { big, framed, joined, toBase64url, utf8 } from "./bytes.js";

const LABEL = utf8("PN-evaluate-v1");
const REQUEST_ID_SIZE = 16; // bytes

/**
 * What is signed of a question {organisation, kind, epoch, commitment, purpose, elements}; `askedAt`
 * in whole seconds since 1970.
 */
export function messageOf(question, requestId, askedAt) {
  return framed(
    utf8(question.organisation),
    utf8(question.kind),
    big(question.epoch, 4),
    question.commitment,
    utf8(question.purpose),
    requestId,
    big(askedAt, 8),
    sha512(joined(...question.elements)),
  );
}

/** {request_id, asked_at, signature}, as it is sent: good once at each holder, and for minutes. */
export function signQuestion(identity, question, now = Date.now()) {
  const requestId = crypto.getRandomValues(new Uint8Array(REQUEST_ID_SIZE));
  return signedAs(identity, question, requestId, Math.floor(now / 1000));
}

/** The same under a given number and moment. */
export function signedAs(identity, question, requestId, askedAt) {
  const signature = identity.sign(LABEL, messageOf(question, requestId, askedAt));
  return { request_id: toBase64url(requestId), asked_at: askedAt, signature: toBase64url(signature) };
}
