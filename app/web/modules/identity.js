// The key by which an organisation signs: Ed25519 (RFC 8032), each use under its own label.
// The counterpart of postern/signing_identity.py.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { framed, joined, utf8 } from "./bytes.js";
import { KID_SIZE } from "./hpke.js";

export const SIGNATURE_SIZE = 64; // bytes
const KID_LABEL = utf8("PN-signing-kid-v1");

/** The public half, 32 bytes. */
export class VerifyingKey {
  constructor(raw) {
    if (raw.length !== 32) throw new TypeError("A verifying key has 32 bytes.");
    this.raw = raw;
    this.kid = sha256(framed(KID_LABEL, raw)).slice(0, KID_SIZE);
  }

  /** Whether the signature is by this key, over this message, for the use of this label. */
  signed(signature, label, message) {
    try {
      // As RFC 8032 and OpenSSL check it: one form of each signature, no cofactor.
      const signedBytes = joined(framed(label), message);
      return ed25519.verify(signature, signedBytes, this.raw, { zip215: false });
    } catch {
      return false;
    }
  }
}

/** The key pair that follows from a 32-byte seed. */
export class SigningIdentity {
  #seed;

  constructor(seed) {
    this.#seed = seed;
    this.public = new VerifyingKey(ed25519.getPublicKey(seed));
  }

  /** 64 bytes; what is signed for one label is never valid for another. */
  sign(label, message) {
    return ed25519.sign(joined(framed(label), message), this.#seed);
  }
}
