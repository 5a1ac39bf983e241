// Bytes and their text forms, as every other module here and in postern/ writes them.

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true });
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const LONGEST_FIELD = 2 ** 16 - 1; // bytes that a two-byte length can announce

/** The UTF-8 of a text. */
export function utf8(text) {
  return ENCODER.encode(text);
}

/** The text of UTF-8 bytes; throws TypeError for other bytes. */
export function text(bytes) {
  return DECODER.decode(bytes);
}

/** One array of all. */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A number as so many big-endian bytes. */
export function big(number, size) {
  const bytes = new Uint8Array(size);
  for (let at = size - 1, left = number; at >= 0; at -= 1, left = Math.floor(left / 256)) {
    bytes[at] = left % 256;
  }
  return bytes;
}

/** Fields with a two-byte length before each: no two lists give the same bytes. */
export function framed(...fields) {
  return joined(
    ...fields.flatMap((field) => {
      if (field.length > LONGEST_FIELD) throw new RangeError("A field is longer than 65535 bytes.");
      return [big(field.length, 2), field];
    }),
  );
}

/** base64url without padding (RFC 4648, section 5). */
export function toBase64url(bytes) {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of base64url without padding; null for a text that is none, or not the only one. */
export function fromBase64url(written) {
  if (!BASE64URL.test(written) || written.length % 4 === 1) return null;
  const binary = atob(written.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return toBase64url(bytes) === written ? bytes : null;
}

/** Whether two arrays hold the same bytes; time does not tell where they differ. */
export function same(left, right) {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let at = 0; at < left.length; at += 1) difference |= left[at] ^ right[at];
  return difference === 0;
}
