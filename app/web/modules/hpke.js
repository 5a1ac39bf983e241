// HPKE (RFC 9180), base mode, single shot. The counterpart of postern/hpke.py: X-Wing and X25519,
// both with HKDF-SHA256 and AES-256-GCM.

import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { x25519 as curve } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { big, framed, joined, utf8 } from "./bytes.js";

export const X_WING = 0x647a;
export const X25519 = 0x0020;
export const KID_SIZE = 16; // bytes
const TAG_SIZE = 16;
const KID_LABEL = utf8("PN-kid-v1");

/** Suite number -> sizes of a public key and of an encapsulation, and how to make its KEM. */
const SUITES = new Map([
  [X_WING, { publicSize: 1216, encapsulation: 1120, kem: () => new XWing() }],
  [X25519, { publicSize: 32, encapsulation: 32, kem: () => new DhkemX25519HkdfSha256() }],
]);

/** Bytes by which a ciphertext is longer than its content; undefined for a suite not known. */
export function overhead(suite) {
  const known = SUITES.get(suite);
  return known && known.encapsulation + TAG_SIZE;
}

/** A key to which anyone can encrypt; throws TypeError for bytes of another length. */
export class PublicKey {
  constructor(suite, raw) {
    if (SUITES.get(suite)?.publicSize !== raw.length) {
      throw new TypeError("The bytes are no public key of the suite. Get the key from its owner.");
    }
    this.suite = suite;
    this.raw = raw;
    this.kid = sha256(framed(KID_LABEL, big(suite, 2), raw)).slice(0, KID_SIZE);
  }

  /** enc || ciphertext, bound to `info`. */
  async encrypt(content, info) {
    const suite = ciphers(this.suite);
    const recipientPublicKey = await suite.kem.deserializePublicKey(this.raw.slice().buffer);
    const { enc, ct } = await suite.seal({ recipientPublicKey, info }, content);
    return joined(new Uint8Array(enc), new Uint8Array(ct));
  }
}

/** The key pair that follows from a 32-byte seed. */
export class SecretKey {
  static async of(suite, seed) {
    const { kem } = ciphers(suite);
    const pair =
      suite === X_WING ? await kem.generateKeyPairDerand(seed.slice()) : await x25519(kem, seed);
    const raw = new Uint8Array(await kem.serializePublicKey(pair.publicKey));
    return new SecretKey(pair.privateKey, new PublicKey(suite, raw));
  }

  constructor(key, publicKey) {
    this.key = key;
    this.public = publicKey;
  }

  /** The content of enc || ciphertext; throws when it is for another key, `info`, or changed. */
  async decrypt(ciphertext, info) {
    const { encapsulation } = SUITES.get(this.public.suite);
    const [enc, ct] = [ciphertext.slice(0, encapsulation), ciphertext.slice(encapsulation)];
    const suite = ciphers(this.public.suite);
    const opening = { recipientKey: this.key, enc: enc.buffer, info };
    return new Uint8Array(await suite.open(opening, ct.buffer));
  }
}

function ciphers(suite) {
  return new CipherSuite({
    kem: SUITES.get(suite).kem(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });
}

async function x25519(kem, seed) {
  const privateKey = await kem.deserializePrivateKey(seed.slice().buffer);
  const publicKey = await kem.deserializePublicKey(curve.getPublicKey(seed).slice().buffer);
  return { privateKey, publicKey };
}
