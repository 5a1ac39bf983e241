// What a page asks of its worker for a disclosure. What is opened stays here by the id of its
// envelope, so that it is sealed again without going to the page and back.

import { fromBase64url, toBase64url } from "./bytes.js";
import {
  checkToken,
  openDelivery,
  openOwn,
  readMessage,
  receiptOf,
  sealAgain,
  writeMessage,
} from "./disclosing.js";
import { PublicKey } from "./hpke.js";
import { VerifyingKey } from "./identity.js";
import { checkOwn, followed } from "./organisation_entry.js";

/** The verbs; `unlocked()` gives the organisation's keys or throws, `ways` are {evaluate, holders}. */
export function disclosingVerbs(unlocked, ways) {
  const opened = new Map(); // envelope id -> what it held

  return {
    /** A published chain of another organisation, followed from the pinned one if there is any. */
    chain: ({ organisation, entries, pinned }) => followed(organisation, entries, pinned),

    /** {organisation, fingerprint, recipients} of the unlocked keys, when they are those published. */
    ownKeys: ({ organisation, entries }) => checkOwn(unlocked(), organisation, entries),

    /** {record, message}: a message {owner, kind, text, about, request} sealed to both sides. */
    writeMessage: ({ recipients, ...message }) =>
      writeMessage(unlocked(), { ...message, recipients: recipients.map(publicKey) }),

    /** [{id, text, about, differs}] of the messages of a request as the interface shows it. */
    async readMessages({ request, signers }) {
      const known = signers.map(verifyingKey);
      const read = request.messages.map(async (message) => ({
        id: message.id,
        ...(await readMessage(unlocked(), request, message, known)),
      }));
      return Promise.all(read);
    },

    /** The content of an own envelope {place, raw}: {kind, fields}, {note} or a file. */
    async openOwn({ place, raw }) {
      const found = await openOwn(unlocked(), place, raw);
      opened.set(place.id, found);
      return found.content;
    },

    /** [{envelope, sealed}] of opened envelopes, each sealed again to the requester alone. */
    async sealAgain({ envelopes, request, recipients }, onProgress) {
      const keys = recipients.map(publicKey);
      const parts = [];
      for (const id of envelopes) {
        const sealed = await sealAgain(unlocked(), opened.get(id), request, keys);
        parts.push({ envelope: id, sealed: toBase64url(sealed) });
        onProgress(parts.length, envelopes.length);
      }
      return parts;
    },

    /** {content, receipt}: a delivery opened, its token derived again, the receipt signed. */
    async receive({ place, raw, request, signers, document, caseReference }) {
      const keys = unlocked();
      const found = await openDelivery(keys, place, raw, request, signers.map(verifyingKey));
      const evaluation = { document, purpose: request.purpose, caseReference, ...ways };
      const check = await checkToken(found, evaluation);
      return { content: found.content, receipt: receiptOf(keys, request, found, check) };
    },

    /** Forget what was opened. */
    forget() {
      opened.clear();
      return {};
    },
  };
}

function publicKey({ suite, public_key: written }) {
  return new PublicKey(suite, fromBase64url(written));
}

function verifyingKey(written) {
  return new VerifyingKey(fromBase64url(written));
}
