// Key files: secrets that each of several members opens with a passphrase of their own.
// The counterpart of postern/key_file.py, key_file_form.py and passphrase.py; docs/keys.md has the
// layout. A page opens them; making and changing them stays with `postern keys`.

import { gcm } from "@noble/ciphers/aes.js";
import { argon2idAsync } from "@noble/hashes/argon2.js";

import { big, framed, fromBase64url, same, text, utf8 } from "./bytes.js";
import { PublicKey, SecretKey, X_WING, overhead } from "./hpke.js";
import { SigningIdentity, VerifyingKey } from "./identity.js";

const FORMAT = "postern-key-file";
const FILE_KEY_SIZE = 32;
const SALT_SIZE = 16;
const NONCE_SIZE = 12;
const MOST_MEMBERS = 32;
const LARGEST = 4_000_000; // bytes of a file
const WRAP = utf8("PN-key-file-wrap-v1");
const CONTENT = utf8("PN-key-file-content-v1");
const MEMBER = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const ORGANISATION = /^[a-z0-9-]{2,40}$/;
const FIELDS = [
  "format",
  "version",
  "purpose",
  "organisation",
  "members",
  "recovery",
  "nonce",
  "sealed",
];
const OF_MEMBER = ["name", "salt", "memory", "passes", "lanes", "public_key", "wrapped"];
const BOUNDS = { memory: [65_536, 262_144], passes: [3, 8], lanes: [1, 4] }; // a forged file cannot ask for more

/** `code`: damaged, cost, member-unknown, passphrase. */
export class KeyFileError extends Error {
  constructor(code, sentence) {
    super(sentence);
    this.name = "KeyFileError";
    this.code = code;
  }
}

/** The locked key file in its JSON; throws KeyFileError. */
export function parseKeyFile(written) {
  if (written.length > LARGEST) throw damaged();
  const found = objectOf(written);
  only(found, FIELDS);
  const isKnown = found.format === FORMAT && found.version === 1;
  const isPurpose = found.purpose === "operational" || found.purpose === "recovery";
  if (!isKnown || !isPurpose || !ORGANISATION.test(found.organisation)) throw damaged();
  const stanzas = Array.isArray(found.members) ? found.members : [];
  if (stanzas.length < 1 || stanzas.length > MOST_MEMBERS) throw damaged();
  const members = stanzas.map(memberOf);
  if (new Set(members.map((each) => each.name)).size !== members.length) throw damaged();
  let recovery = null;
  if (found.recovery !== null) {
    only(found.recovery, ["public_key", "wrapped"]);
    recovery = publicKey(found.recovery.public_key);
  }
  return {
    purpose: found.purpose,
    organisation: found.organisation,
    members,
    recovery,
    nonce: octets(found.nonce, NONCE_SIZE),
    sealed: octets(found.sealed),
  };
}

/**
 * The keys in an operational file, by a member's passphrase: {organisation, identity, openingKeys,
 * signers, chain}. `onProgress` is told how far the passphrase's work is, from 0 to 1.
 */
export async function unlockKeys(file, name, passphrase, onProgress = () => {}) {
  const member = file.members.find((each) => each.name === name);
  if (!member) {
    const names = file.members.map((each) => each.name).join(", ");
    throw new KeyFileError("member-unknown", `The key file has no member ${name}, only: ${names}.`);
  }
  const seed = await argon2idAsync(utf8(passphrase.normalize("NFKC")), member.salt, {
    t: member.passes,
    m: member.memory,
    p: member.lanes,
    dkLen: 32,
    onProgress,
  });
  const key = await SecretKey.of(X_WING, seed);
  if (!same(key.public.raw, member.public.raw)) {
    throw new KeyFileError("passphrase", `This is not the passphrase of ${name}. Type it again.`);
  }
  let content;
  try {
    const fileKey = await key.decrypt(
      member.wrapped,
      framed(WRAP, utf8(file.purpose), utf8(file.organisation), encodedMember(member)),
    );
    content = gcm(fileKey, file.nonce, headOf(file)).decrypt(file.sealed);
  } catch {
    throw damaged();
  }
  return keysOf(file, text(content));
}

async function keysOf(file, written) {
  const found = objectOf(written);
  only(found, ["version", "identity_seed", "generations"]);
  if (file.purpose !== "operational" || found.version !== 1) throw damaged();
  const identity = new SigningIdentity(octets(found.identity_seed, 32));
  const openingKeys = [];
  const signers = [];
  for (const generation of found.generations) {
    const sealing = await SecretKey.of(X_WING, octets(generation.sealing_seed, 32));
    const { entry } = generation.signed;
    if (!same(sealing.public.raw, octets(entry.sealing.public_key))) throw damaged();
    openingKeys.unshift(sealing);
    signers.push(new VerifyingKey(octets(entry.signing.public_key, 32)));
  }
  if (!signers.length || !same(signers.at(-1).raw, identity.public.raw)) throw damaged();
  const chain = found.generations.map((generation) => generation.signed);
  return { organisation: file.organisation, identity, openingKeys, signers, chain };
}

function memberOf(found) {
  only(found, OF_MEMBER);
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    if (!Number.isInteger(found[name]) || found[name] < least || found[name] > most) {
      throw new KeyFileError(
        "cost",
        `The key file sets the cost of a passphrase out of bounds: ${name}. Use a backup of it.`,
      );
    }
  }
  if (typeof found.name !== "string" || !MEMBER.test(found.name)) throw damaged();
  return {
    name: found.name,
    salt: octets(found.salt, SALT_SIZE),
    memory: found.memory,
    passes: found.passes,
    lanes: found.lanes,
    public: publicKey(found.public_key),
    wrapped: octets(found.wrapped, FILE_KEY_SIZE + overhead(X_WING)),
  };
}

function encodedMember(member) {
  const cost = [member.memory, member.passes, member.lanes].map((number) => big(number, 4));
  return framed(utf8(member.name), member.salt, ...cost, member.public.raw);
}

function headOf(file) {
  return framed(
    CONTENT,
    utf8(file.purpose),
    utf8(file.organisation),
    file.recovery?.raw ?? new Uint8Array(),
    ...file.members.map(encodedMember),
  );
}

function publicKey(written) {
  try {
    return new PublicKey(X_WING, octets(written));
  } catch {
    throw damaged();
  }
}

function octets(written, size = null) {
  const bytes = typeof written === "string" ? fromBase64url(written) : null;
  if (bytes === null || (size !== null && bytes.length !== size)) throw damaged();
  return bytes;
}

function objectOf(written) {
  try {
    const found = JSON.parse(written);
    if (found !== null && typeof found === "object" && !Array.isArray(found)) return found;
  } catch {
    // told below
  }
  throw damaged();
}

function only(found, names) {
  const own = found !== null && typeof found === "object" ? Object.keys(found) : [];
  if (own.length !== names.length || names.some((name) => !own.includes(name))) throw damaged();
}

function damaged() {
  return new KeyFileError(
    "damaged",
    "The file is not a key file, or its parts do not belong together. Use a backup of it.",
  );
}
