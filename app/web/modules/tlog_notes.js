// Signed notes and the checkpoints in them: who signed the head of the log, and when.
// The counterpart of postern/tlog/{note_names,notes,checkpoint}.py. Sources: C2SP signed-note,
// tlog-checkpoint and tlog-cosignature.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { joined, same, utf8 } from "./bytes.js";
import { HASH_SIZE } from "./tlog_tree.js";

export const KIND_ED25519 = 0x01; // a log's key
export const KIND_COSIGNATURE = 0x04; // a witness's

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NAME = /^[^\p{White_Space}+\u0000-\u001f\ud800-\udfff]+$/u;
const BARRED = /[\u0000-\u0009\u000b-\u001f\ud800-\udfff]/u;
const DECIMAL = /^(0|[1-9][0-9]{0,18})$/;
const DASH = "\u2014 ";
const MOST_SIGNATURES = 100;
const LONGEST_NOTE = 1_000_000; // bytes
const KEY_ID_SIZE = 4; // bytes
const KEY_SIZE = 32;
const SIGNATURE_SIZE = 64;
const TIME_SIZE = 8; // before the signature of a cosignature: seconds since 1970, big-endian
const LARGEST = 2n ** 63n - 1n;

/** A note, a key or a checkpoint is out of format, or not signed by whom it should be. */
export class NoteError extends Error {
  constructor(reason) {
    super(`The note is not accepted: ${reason}.`);
    this.name = "NoteError";
    this.reason = reason;
  }
}

/** A public key `name+id+base64` with its name; NoteError when it is none or its id does not fit. */
export class VerifierKey {
  constructor(vkey) {
    const [name, id, ...rest] = vkey.split("+");
    const raw = rest.length ? fromBase64(rest.join("+")) : null;
    if (!raw?.length) throw new NoteError("a key is not NAME+ID+KEY");
    if (!NAME.test(name)) throw new NoteError("the name of a key is none");
    [this.name, this.kind, this.public, this.vkey] = [name, raw[0], raw.subarray(1), vkey];
    if (![KIND_ED25519, KIND_COSIGNATURE].includes(this.kind) || this.public.length !== KEY_SIZE) {
      throw new NoteError(`the key ${name} is of no kind that is known`);
    }
    this.keyId = sha256(joined(utf8(`${name}\n`), raw)).subarray(0, KEY_ID_SIZE);
    if (id !== hex(this.keyId)) throw new NoteError(`the id of the key ${name} does not fit it`);
  }
}

/** {text, signatures: [{name, keyId, blob}]} of the bytes of a note; checks no key. */
export function parseNote(bytes) {
  if (bytes.length > LONGEST_NOTE) throw new NoteError("it is longer than 1,000,000 bytes");
  const written = decoded(bytes);
  const end = written.lastIndexOf("\n\n");
  if (end < 0) throw new NoteError("no empty line stands between a text and its signatures");
  const text = written.slice(0, end + 1);
  if (BARRED.test(text)) throw new NoteError("its text has a control character");
  const under = written.slice(end + 2);
  if (!under.endsWith("\n")) throw new NoteError("its last line does not end");
  const lines = under.slice(0, -1).split("\n");
  if (lines.length > MOST_SIGNATURES) throw new NoteError("it has more than 100 signatures");
  return { text, signatures: lines.map(parseSignature) };
}

/**
 * Who of `keys` signed the note: [{key, time}], each key once, its newest cosignature.
 * NoteError when a signature that claims to be by one of them is not.
 */
export function verified(note, keys) {
  const found = new Map();
  for (const signature of note.signatures) {
    const key = keys.find(
      (each) => each.name === signature.name && same(each.keyId, signature.keyId),
    );
    if (!key) continue;
    const time = checked(note.text, signature, key);
    const earlier = found.get(key);
    if (!earlier || (time ?? 0n) > (earlier.time ?? 0n)) found.set(key, { key, time });
  }
  return [...found.values()].map(({ key, time }) => ({
    key,
    time: time === null ? null : Number(time),
  }));
}

/** {origin, size, root} of the text of a note; NoteError when it is no checkpoint. */
export function parseCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length <= 3 || lines.pop() || lines.includes("")) {
    throw new NoteError("its text is not three whole lines or more, none of them empty");
  }
  const size = DECIMAL.test(lines[1]) ? Number(lines[1]) : NaN;
  const root = fromBase64(lines[2]);
  if (!Number.isSafeInteger(size)) throw new NoteError("its second line is no size");
  if (root?.length !== HASH_SIZE) throw new NoteError("its third line is no root in base64");
  return { origin: lines[0], size, root };
}

/** The checkpoint of a note that one of `logKeys` signed under the log's name, and the note. */
export function openCheckpoint(bytes, logKeys) {
  const note = parseNote(bytes);
  const checkpoint = parseCheckpoint(note.text);
  const isSigned = verified(note, logKeys).some(
    ({ key }) => key.kind === KIND_ED25519 && key.name === checkpoint.origin,
  );
  if (!isSigned) {
    throw new NoteError(`no known key of the log signed the checkpoint of size ${checkpoint.size}`);
  }
  return { checkpoint, note };
}

/** {leafHash, at} of a receipt that one of `keys` signed: its note, in bytes; `at` in seconds. */
export function openReceipt(bytes, keys) {
  const note = parseNote(bytes);
  const names = verified(note, keys).map(({ key }) => key.name);
  const [name, entry, time, ...rest] = note.text.split("\n");
  const leafHash = fromBase64(entry?.match(/^entry (.*)$/)?.[1] ?? "");
  const at = time?.match(/^time (.*)$/)?.[1] ?? "";
  if (!names.includes(name)) throw new NoteError("no known key of receipts signed it");
  if (leafHash?.length !== HASH_SIZE || !DECIMAL.test(at) || rest.join("\n") !== "") {
    throw new NoteError("it names no entry and time");
  }
  return { leafHash, at: Number(at) };
}

/** The bytes of standard base64; null when it is not their one canonical form. */
export function fromBase64(written) {
  let raw;
  try {
    raw = Uint8Array.from(atob(written), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
  return toBase64(raw) === written ? raw : null;
}

/** Standard base64 with padding. */
export function toBase64(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

function parseSignature(line) {
  const at = line.indexOf(" ", DASH.length);
  const raw = line.startsWith(DASH) && at > 0 ? fromBase64(line.slice(at + 1)) : null;
  const name = line.slice(DASH.length, at);
  if (!raw || !NAME.test(name) || raw.length <= KEY_ID_SIZE) {
    throw new NoteError("a line under the text is not a dash, a name and a signature in base64");
  }
  return { name, keyId: raw.subarray(0, KEY_ID_SIZE), blob: raw.subarray(KEY_ID_SIZE) };
}

// The time that a cosignature states, in seconds, as a bigint; null for a log's signature.
function checked(text, { blob }, key) {
  const isCosigned = key.kind === KIND_COSIGNATURE;
  const signature = isCosigned ? blob.subarray(TIME_SIZE) : blob;
  const time = isCosigned ? BigInt(`0x0${hex(blob.subarray(0, TIME_SIZE))}`) : null;
  if (signature.length !== SIGNATURE_SIZE || (time ?? 0n) > LARGEST) {
    throw new NoteError(`the signature of ${key.name} has not the form of its kind of key`);
  }
  const message = utf8(isCosigned ? `cosignature/v1\ntime ${time}\n${text}` : text);
  if (!isSignature(signature, message, key.public)) {
    throw new NoteError(`the signature of ${key.name} does not fit the text`);
  }
  return time;
}

function isSignature(signature, message, key) {
  try {
    // As RFC 8032 and OpenSSL check it: one form of each signature, no cofactor.
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false;
  }
}

function decoded(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new NoteError("it is not UTF-8");
  }
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
