// Messages of a disclosure request: free text that only the two organisations read.
// The counterpart of postern/sealed_message.py.

import { same, text, toBase64url } from "./bytes.js";
import { openEnvelope, seal } from "./seal.js";
import { SealedContentError, VERSION, jsonBytes, lengthOf } from "./sealed_content.js";
import { TOKEN_SIZE } from "./tokens.js";

export const LONGEST_TEXT = 10_000; // characters
const LONGEST_CASE = 128; // characters
const RANDOM_SIZE = 16; // bytes
const OF_ASKS = ["case", "indicator", "urgency", "asked", "action"];

/** The record of a new message: of a request, or of the ask that makes one. */
export function newRecord(request) {
  return `${request ?? "ask"}/${toBase64url(crypto.getRandomValues(new Uint8Array(RANDOM_SIZE)))}`;
}

/** Where a message belongs: to requests to `owner`. */
export function messageContext(owner, kind, record) {
  return { owner, kind: "message", epoch: 0, token: new Uint8Array(TOKEN_SIZE), record, part: kind };
}

/** The envelope of {text, about}; `recipients` are the keys of both organisations. */
export function sealMessage(message, context, recipients, identity) {
  return seal(messageBytes(message), context, recipients, identity);
}

/** {text, about} of an envelope by one of `senders`; throws SealError, SealedContentError. */
export async function openMessage(raw, context, keys, senders) {
  const plaintext = await openEnvelope(raw, context, keys, senders);
  const message = read(plaintext, context.part === "ask");
  if (!same(messageBytes(message), plaintext)) throw notOfItsForm();
  return message;
}

/** The canonical JSON that is sealed; throws SealedContentError. */
export function messageBytes({ text: written, about = null }) {
  if (typeof written !== "string" || lengthOf(written) > LONGEST_TEXT || !(written || about)) {
    throw new SealedContentError("message", "it is empty or longer than 10,000 characters");
  }
  if (about && (!about.case || lengthOf(about.case) > LONGEST_CASE)) {
    throw new SealedContentError("message", "its case is empty or longer than 128 characters");
  }
  const more = about ? Object.fromEntries(OF_ASKS.map((name) => [name, about[name]])) : {};
  return jsonBytes({ v: VERSION, text: written, ...more }, "message");
}

function read(plaintext, isAsk) {
  let found;
  try {
    found = JSON.parse(text(plaintext));
  } catch {
    throw notOfItsForm();
  }
  if (found?.v !== VERSION || typeof found.text !== "string") throw notOfItsForm();
  if (!isAsk) return { text: found.text, about: null };
  const { asked } = found;
  const isList = Array.isArray(asked) && asked.every((each) => typeof each === "string");
  const areWords = OF_ASKS.every((name) => name === "asked" || typeof found[name] === "string");
  if (!isList || !areWords) throw notOfItsForm();
  return { text: found.text, about: Object.fromEntries(OF_ASKS.map((name) => [name, found[name]])) };
}

function notOfItsForm() {
  return new SealedContentError("message", "it is not of its form");
}
