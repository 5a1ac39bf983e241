// What stands inside an envelope: the value of an indicator, a note, a file.
// The counterpart of postern/sealed_content.py. One content has one form: whatever is opened is
// written again and compared, so that nothing else could have been sealed.

import { big, joined, same, text, utf8 } from "./bytes.js";
import { LARGEST_CONTENT, LENGTH_SIZE } from "./envelope.js";
import { canonical } from "./key_document.js";
import { LONGEST_FIELD, VALUE_FIELDS } from "./value_fields.js";

export const VERSION = 1;
const LONGEST_NOTE = 10_000; // characters
const LONGEST_NAME = 120; // characters of a file's name
const LONGEST_HEAD = 4096; // bytes of the JSON before a file
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/;
const PRINTABLE = /^(?:[^\p{C}\p{Z}]| )*$/u;
const FILE_PART = /^attachment\/[1-9][0-9]{0,5}$/;

/** What was sealed, or is to be sealed, does not have the form of its part; `code` is the part. */
export class SealedContentError extends Error {
  constructor(part, rule) {
    super(`The sealed ${part} cannot be used: ${rule}.`);
    this.name = "SealedContentError";
    this.code = part;
  }
}

/** The bytes of {kind, fields}, {note} or {name, media_type, content}; throws SealedContentError. */
export function plaintextOf(found) {
  if (found.fields) return valueBytes(found);
  if (found.note !== undefined) return noteBytes(found);
  return fileBytes(found);
}

/** What an opened envelope of a context's part holds; throws SealedContentError. */
export function openedContent(part, plaintext) {
  const [name] = part.split("/");
  let found;
  try {
    found = read(part, plaintext);
  } catch (error) {
    throw error instanceof SealedContentError ? error : notOfItsForm(name);
  }
  if (!same(plaintextOf(found), plaintext)) throw notOfItsForm(name);
  return found;
}

/** The UTF-8 of canonical JSON; throws SealedContentError for half a surrogate pair. */
export function jsonBytes(content, part) {
  const written = canonical(content);
  // Half a pair is written as \ud800 by JavaScript, and not at all by Python.
  if (/\\ud[89a-f][0-9a-f]{2}/.test(written.replaceAll("\\\\", ""))) {
    throw new SealedContentError(part, "it has half a surrogate pair");
  }
  return utf8(written);
}

/** Characters as Python counts them. */
export function lengthOf(written) {
  return [...written].length;
}

function read(part, plaintext) {
  if (part === "value") {
    const { v, kind, fields, ...more } = object(plaintext);
    const isObject = fields !== null && typeof fields === "object" && !Array.isArray(fields);
    require(v === VERSION && isObject && !Object.keys(more).length, "value");
    return { kind, fields };
  }
  if (part === "note") {
    const { v, note, ...more } = object(plaintext);
    require(v === VERSION && typeof note === "string" && !Object.keys(more).length, "note");
    return { note };
  }
  require(FILE_PART.test(part), part);
  const length = plaintext.slice(0, LENGTH_SIZE).reduce((sum, byte) => sum * 256 + byte, 0);
  require(length <= LONGEST_HEAD && plaintext.length >= LENGTH_SIZE + length, "attachment");
  const head = object(plaintext.slice(LENGTH_SIZE, LENGTH_SIZE + length));
  const { v, name, media_type, ...more } = head;
  require(v === VERSION && !Object.keys(more).length, "attachment");
  return { name, media_type, content: plaintext.slice(LENGTH_SIZE + length) };
}

function valueBytes({ kind, fields }) {
  const known = VALUE_FIELDS.get(kind) ?? [];
  const names = Object.keys(fields);
  const isKnown = names.length > 0 && names.every((name) => known.includes(name));
  if (!isKnown) throw new SealedContentError("value", "it has a field that its kind does not have");
  for (const written of Object.values(fields)) {
    const isText = typeof written === "string" && written !== "";
    if (!isText || lengthOf(written) > LONGEST_FIELD) {
      throw new SealedContentError("value", `a field is empty or longer than ${LONGEST_FIELD} characters`);
    }
  }
  return jsonBytes({ v: VERSION, kind, fields }, "value");
}

function noteBytes({ note }) {
  if (!note || lengthOf(note) > LONGEST_NOTE) {
    throw new SealedContentError("note", "it is empty or longer than 10,000 letters");
  }
  return jsonBytes({ v: VERSION, note }, "note");
}

function fileBytes({ name, media_type, content }) {
  const isNamed = typeof name === "string" && name !== "" && lengthOf(name) <= LONGEST_NAME;
  if (!isNamed || !PRINTABLE.test(name)) {
    throw new SealedContentError("attachment", "its name is not 1 to 120 printable characters");
  }
  if (typeof media_type !== "string" || !MEDIA_TYPE.test(media_type)) {
    throw new SealedContentError("attachment", "its media type is not of the form image/jpeg");
  }
  const head = jsonBytes({ v: VERSION, name, media_type }, "attachment");
  const whole = joined(big(head.length, LENGTH_SIZE), head, content);
  if (whole.length > LARGEST_CONTENT) {
    throw new SealedContentError("attachment", "it is larger than 10,000,000 bytes");
  }
  return whole;
}

function object(bytes) {
  const found = JSON.parse(text(bytes));
  require(found !== null && typeof found === "object" && !Array.isArray(found), "content");
  return found;
}

function require(holds, part) {
  if (!holds) throw notOfItsForm(part);
}

function notOfItsForm(part) {
  return new SealedContentError(part, "it is not of its form");
}
