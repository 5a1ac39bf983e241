// RFC 9497, ristretto255-SHA512, mode 1, on the client's side. The counterpart of postern/voprf.py.

import { ristretto255, ristretto255_oprf } from "@noble/curves/ed25519.js";

const { voprf } = ristretto255_oprf;
const { Point } = ristretto255;
const Scalars = Point.Fn;

export const MAX_BATCH = 1000; // elements under one proof

export class ProofInvalidError extends Error {
  constructor() {
    super(
      "The proof does not show that this public key's secret key was used. " +
        "Discard the whole answer and report it to your compliance officer.",
    );
    this.name = "ProofInvalidError";
  }
}

/** {blind, blinded}: the blind is to be kept secret, the blinded element to be sent. */
export function blind(input) {
  return voprf.blind(input);
}

/**
 * The unblinded elements, in order, once the proof for all of them holds.
 *
 * `items` are {input, blind, blinded, evaluated}. Throws ProofInvalidError, and then nothing of
 * the answer may be used.
 */
export function opened(items, publicKey, proof) {
  if (!isProved(items, publicKey, proof)) throw new ProofInvalidError();
  return items.map((item) => unblinded(item.blind, item.evaluated));
}

/** Whether the proof shows that this public key's secret key evaluated all `items`, as of `opened`. */
export function isProved(items, publicKey, proof) {
  try {
    voprf.finalizeBatch(items, publicKey, proof);
    return true;
  } catch {
    return false;
  }
}

/** The element N = k * HashToGroup(input) behind a blinded evaluation whose proof was verified. */
export function unblinded(blindScalar, evaluated) {
  const inverse = Scalars.inv(Scalars.fromBytes(blindScalar));
  return Point.fromBytes(evaluated).multiply(inverse).toBytes();
}
