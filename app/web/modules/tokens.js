// From the element that an evaluation gives to the token that is matched.
// The counterpart of postern/pseudonym.py.

import { sha512 } from "@noble/hashes/sha2.js";

import { big, framed, joined, utf8 } from "./bytes.js";

export const TOKEN_SIZE = 16; // bytes
const LABEL = utf8("PN-token-v1");
const CLEAR_EPOCH = 0; // no key has this epoch

/** SHA512("PN-token-v1" || lp(kind) || lp(epoch) || lp(N))[:16], for an epoch from 1. */
export function token(evaluationKind, epoch, element) {
  return made(evaluationKind, epoch, element);
}

/** The token of a canonical text that is no secret, such as an induction point. */
export function clearToken(kind, written) {
  return made(kind, CLEAR_EPOCH, utf8(written));
}

function made(kind, epoch, content) {
  return sha512(joined(LABEL, framed(utf8(kind), big(epoch, 4), content))).slice(0, TOKEN_SIZE);
}
