// The proof that a requester opened a delivery. The counterpart of postern/delivery_receipt.py.

import { framed, utf8 } from "./bytes.js";

const LABEL = utf8("PN-delivery-receipt-v1");

/** 64 bytes: Ed25519 over lp(request id, delivery id, SHA-256 of the envelope, check word). */
export function signedReceipt({ request, delivery, digest, check }, identity) {
  if (digest.length !== 32) throw new TypeError("A digest has 32 bytes.");
  return identity.sign(LABEL, framed(utf8(request), utf8(delivery), digest, utf8(check)));
}
