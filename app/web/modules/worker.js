// The worker of a page: here clear values are normalised, blinded, sealed and opened, and nowhere
// else. What leaves it for the network are blinded elements and what the page asks to be sealed.
//
// Takes {id, verb, args, formToken}; answers {id, result}, {id, error} and, in between, {id, done, total}.
// {cheating: names} tells of holders of a shared key whose parts were not proved and not used.

import { PublicKey } from "./hpke.js";
import { fromBase64url, toBase64url } from "./bytes.js";
import { disclosingVerbs } from "./disclosing_verbs.js";
import { EvaluationError, SignatureNeededError } from "./evaluation_errors.js";
import { facetsOf } from "./facets.js";
import { VerifyingKey } from "./identity.js";
import { canonical, compareWithPinned, grouped, readKeyDocument, sharedKeys } from "./key_document.js";
import { parseKeyFile, unlockKeys } from "./keyfile.js";
import { normalise } from "./normalise/index.js";
import { pseudonymise } from "./pseudonymise.js";
import { reportingVerbs } from "./reporting.js";
import { openEnvelope, seal } from "./seal.js";
import { SEARCH_VERBS } from "./search_verbs.js";
import { signQuestion } from "./signed_evaluation.js";
import { stop, verifyEntry, verifyLog } from "./tlog_check.js";

const EVALUATE = "/api/v1/evaluate";
const KEYS = "/.well-known/postern-keys.json";

let formToken = ""; // shows that a request comes from a page of the platform
let unlocked = null; // the organisation's keys, until the page is left or they are locked

/** How a shared key's holders are asked: by the unlocked identity, for the organisation. */
const HOLDERS = {
  require() {
    if (!unlocked) throw new SignatureNeededError();
  },
  sign(question) {
    HOLDERS.require();
    return signQuestion(unlocked.identity, { organisation: unlocked.organisation, ...question });
  },
  onCheat: (cheating) => self.postMessage({ cheating }),
};

const VERBS = {
  ...SEARCH_VERBS,
  ...disclosingVerbs(needed, { evaluate, holders: HOLDERS }),

  /** What is made of a value as it is typed: {form, flags, facets: [{number, kind, text}]}. */
  check({ kind, value }) {
    const normalised = normalise(kind, value);
    const { form, flags } = normalised;
    return { form, flags, facets: facetsOf(normalised) };
  },

  /** The platform's keys: {fingerprint, document}; throws when a pinned one changed. */
  async keys({ pinned }) {
    const answer = await fetch(KEYS, { credentials: "omit" });
    if (!answer.ok) throw new EvaluationError(answer.status, "The platform's keys did not come.");
    const found = readKeyDocument(await answer.json());
    if (pinned) compareWithPinned(pinned, found.document);
    return found;
  },

  /** Whose signature is asked for: {kinds, others, holders, threshold} (key_document.js). */
  shared: ({ document }) => sharedKeys(document),

  /** Pseudonyms of values {kind, value}; tokens and elements in base64url. */
  async pseudonymise({ values, document, purpose, caseReference }, onProgress) {
    const found = await pseudonymise(values, {
      document,
      purpose,
      caseReference,
      evaluate,
      holders: HOLDERS,
      onProgress,
    });
    return found.map((each) => ({
      ...each,
      facets: each.facets.map((facet) => ({
        ...facet,
        token: toBase64url(facet.token),
        element: facet.element && toBase64url(facet.element),
      })),
    }));
  },

  /** Unlock a key file {written, member, passphrase}; its keys stay in this worker. */
  async unlock({ written, member, passphrase }, onProgress) {
    const keys = await unlockKeys(parseKeyFile(written), member, passphrase, (share) =>
      onProgress(Math.round(share * 100), 100),
    );
    unlocked = keys;
    return { organisation: keys.organisation, chain: keys.chain };
  },

  /** Who can open a key file: {organisation, members}. */
  members({ written }) {
    const file = parseKeyFile(written);
    return { organisation: file.organisation, members: file.members.map((each) => each.name) };
  },

  /** Forget the unlocked keys, and what they opened. */
  lock() {
    unlocked = null;
    VERBS.forget();
    return {};
  },

  /** An envelope, in bytes, around `content`, signed by the unlocked identity. */
  async seal({ content, context, recipients }) {
    const keys = recipients.map((each) => new PublicKey(each.suite, octets(each.public_key)));
    return seal(content, withToken(context), keys, needed().identity);
  },

  /** The content, in bytes, of an envelope, with the unlocked keys, by one of `signers`. */
  async open({ envelope, context, signers }) {
    const known = signers.map((each) => new VerifyingKey(octets(each)));
    return openEnvelope(envelope, withToken(context), needed().openingKeys, known);
  },

  /** {kid, signature} of the unlocked identity over a message under a label. */
  sign({ label, message }) {
    const { identity } = needed();
    return { kid: toBase64url(identity.public.kid), signature: toBase64url(identity.sign(label, message)) };
  },

  /** The fingerprint of a directory entry, for comparing by telephone. */
  async fingerprint({ entry }) {
    const written = new TextEncoder().encode(canonical(entry));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", written));
    return grouped(digest.slice(0, 20));
  },

  // Reports from a form and from files: app/web/modules/reporting.js.
  ...reportingVerbs({
    evaluate,
    holders: HOLDERS,
    post,
    renew: async (pinned) => (await VERBS.keys({ pinned })).document,
    sealing: (recipients) => ({
      owner: needed().organisation,
      keys: recipients.map((each) => new PublicKey(each.suite, octets(each.public_key))),
      identity: needed().identity,
    }),
  }),

  // The log of the platform, verified: app/web/modules/tlog_check.js.
  verifyLog,
  verifyEntry,
  stopLog: stop,
};

self.addEventListener("message", async ({ data }) => {
  const { id, verb, args } = data;
  formToken = data.formToken;
  try {
    const result = await VERBS[verb](args ?? {}, (done, total) =>
      self.postMessage({ id, done, total }),
    );
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, error: told(error) });
  }
});

/** What the page may know of an error; none of these sentences holds a value. */
function told({ name, message, code, field, reason, remedy, names, status, problem, swapped }) {
  return { name, message, code, field, reason, remedy, names, status, problem, swapped };
}

async function evaluate(body) {
  const { ok, status, content } = await answered(EVALUATE, body);
  if (ok) return content;
  throw new EvaluationError(status, content.title ?? `The platform said ${status}.`, content);
}

/** One request's answer and receipt; a refusal is a RefusedError with `status` and `problem`. */
async function post(address, body) {
  const { ok, status, content: problem, receipt } = await answered(address, body);
  if (ok) return { ...problem, receipt };
  const error = new Error(problem.title ?? `The platform said ${status}.`);
  throw Object.assign(error, { name: "RefusedError", status, problem });
}

async function answered(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRFToken": formToken,
    },
    body: JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({}));
  return { ok: answer.ok, status: answer.status, content, receipt: answer.headers.get("Postern-Receipt") };
}

function needed() {
  if (!unlocked) {
    const error = new Error("No key file is unlocked. Open yours first.");
    error.name = "LockedError";
    throw error;
  }
  return unlocked;
}

function withToken(context) {
  return { ...context, token: octets(context.token ?? "") };
}

function octets(written) {
  const bytes = fromBase64url(written);
  if (bytes === null) throw new TypeError("Bytes are not written in base64url.");
  return bytes;
}
