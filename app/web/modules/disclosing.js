// Disclosure on premises: opening what one's own organisation sealed, sealing it to a requester and,
// on the other side, opening a delivery and deriving its token again.
// The counterpart of postern/disclosing.py. Nothing that the platform says is believed: an envelope
// has the announced digest and opens in the announced context, by keys that are pinned, or not at all.

import { sha256 } from "@noble/hashes/sha2.js";

import { fromBase64url, same, toBase64url } from "./bytes.js";
import { signedReceipt } from "./delivery_receipt.js";
import { EVALUATION_KIND } from "./facets.js";
import { KeyDocumentError, epochOf } from "./key_document.js";
import { readChain } from "./organisation_entry.js";
import { pseudonymise } from "./pseudonymise.js";
import { openEnvelope, seal } from "./seal.js";
import { openedContent } from "./sealed_content.js";
import { messageContext, newRecord, openMessage, sealMessage } from "./sealed_message.js";
import { valueOf } from "./value_fields.js";

const OF_REQUESTER = ["ask", "answer"];
const KINDS = ["ask", "question", "answer", "reason"];

/** The platform gave other bytes than it announced. */
export class EnvelopeExchangedError extends Error {
  constructor(part) {
    super(`What the platform gave as the sealed ${part} is not what it announced. Do not use it.`);
    this.name = "EnvelopeExchangedError";
  }
}

/** A message stands where none of its kind and sender can stand. */
export class MessageMisplacedError extends Error {
  constructor() {
    super("The platform shows a message that this request cannot have. Do not use it.");
    this.name = "MessageMisplacedError";
  }
}

/** {record, message} sealed to both organisations; `request` is null for the ask that makes one. */
export async function writeMessage(keys, { owner, kind, text, about, request, recipients }) {
  const record = newRecord(request);
  const context = messageContext(owner, kind, record);
  const ours = readChain(keys.chain, keys.organisation).at(-1).recipients;
  const sealed = await sealMessage({ text, about }, context, [...ours, ...recipients], keys.identity);
  return { record, message: toBase64url(sealed) };
}

/**
 * {text, about, differs} of a message of a request as the interface shows both; text is null once it
 * is erased. `differs` names what the platform shows otherwise than the requester signed it.
 */
export async function readMessage(keys, request, message, otherSigners) {
  const sender = OF_REQUESTER.includes(message.kind) ? request.requester : request.owner;
  const expected = message.kind === "ask" ? "ask" : request.id;
  const isPlaced = message.record.split("/")[0] === expected;
  if (message.organisation !== sender.code || !KINDS.includes(message.kind) || !isPlaced) {
    throw new MessageMisplacedError();
  }
  if (message.sealed === null) return { text: null, about: null, differs: [] };
  const signers = sender.code === keys.organisation ? keys.signers : otherSigners;
  const context = messageContext(request.owner.code, message.kind, message.record);
  const sealed = octets(message.sealed);
  const opened = await openMessage(sealed, context, keys.openingKeys, signers);
  return { ...opened, differs: opened.about ? differences(request, opened.about) : [] };
}

/** Names of what the platform shows otherwise than the requester signed it. */
export function differences(request, about) {
  const list = (words) => [...words].sort().join();
  return [
    ["indicator", request.indicator === about.indicator],
    ["urgency", request.urgency === about.urgency],
    ["asked", list(request.asked) === list(about.asked)],
    ["action", request.action === about.action],
  ].flatMap(([name, isSame]) => (isSame ? [] : [name]));
}

/** {place, plaintext, content} of what one's own organisation sealed at submission. */
export function openOwn(keys, place, raw) {
  return opened(place, raw, contextOf(place, keys.organisation), keys, keys.signers);
}

/** The same content sealed to the requester alone, for one request and one decision. */
export function sealAgain(keys, found, request, recipients) {
  const resealing = resealingOf(request, keys.organisation);
  const context = { ...contextOf(found.place, keys.organisation), ...resealing };
  return seal(found.plaintext, context, recipients, keys.identity);
}

/** {place, plaintext, content} of what an owner sealed again for this request. */
export function openDelivery(keys, place, raw, request, ownerSigners) {
  const owner = request.owner.code;
  const resealing = { request: request.id, requester: keys.organisation, approver: owner };
  return opened(place, raw, { ...contextOf(place, owner), ...resealing }, keys, ownerSigners);
}

/** {signature, kid, check}: what the platform is given as proof that a delivery was opened. */
export function receiptOf(keys, request, found, check) {
  const digest = octets(found.place.digest);
  const receipt = { request: request.id, delivery: found.place.id, digest, check };
  return {
    signature: toBase64url(signedReceipt(receipt, keys.identity)),
    kid: toBase64url(keys.identity.public.kid),
    check,
  };
}

/**
 * Whether a disclosed value is the one under whose token it was shared: "matches", "differs", or
 * "not_checked" for what is no value or of an epoch that is not evaluated any more.
 */
export async function checkToken(found, evaluation) {
  const { content, place } = found;
  if (!content.fields) return "not_checked";
  if (content.kind !== place.kind) return "differs";
  if (!isPresent(evaluation.document, place)) return "not_checked";
  const value = valueOf(content.kind, content.fields);
  if (value === null) return "differs";
  let pseudonym;
  try {
    [pseudonym] = await pseudonymise([{ kind: content.kind, value }], evaluation);
  } catch (error) {
    const isClosed = error instanceof EvaluationError && error.problem?.code === "epoch-closed";
    if (isClosed) return "not_checked";
    throw error;
  }
  if (pseudonym.epoch !== place.epoch) return "not_checked";
  // The first facet is the one whose token stands in the context (postern/report_form.py).
  const derived = pseudonym.facets[0]?.token ?? new Uint8Array();
  return same(derived, octets(place.token)) ? "matches" : "differs";
}

function isPresent(document, place) {
  try {
    return epochOf(document, EVALUATION_KIND.get(place.kind)).epoch === place.epoch;
  } catch (error) {
    if (error instanceof KeyDocumentError) return false;
    throw error;
  }
}

async function opened(place, raw, context, keys, signers) {
  if (!same(sha256(raw), octets(place.digest))) throw new EnvelopeExchangedError(place.part);
  const plaintext = await openEnvelope(raw, context, keys.openingKeys, signers);
  return { place, plaintext, content: openedContent(context.part, plaintext) };
}

function contextOf(place, owner) {
  const part = place.part === "attachment" ? `${place.part}/${place.number}` : place.part;
  const { kind, epoch, record } = place;
  return { owner, kind, epoch, token: octets(place.token), record, part };
}

function resealingOf(request, owner) {
  return { request: request.id, requester: request.requester.code, approver: owner };
}

function octets(written) {
  const bytes = typeof written === "string" ? fromBase64url(written) : null;
  if (bytes === null) throw new EnvelopeExchangedError("part");
  return bytes;
}
