// Asks: values become pseudonyms in the worker, the pseudonyms are looked up, and the answers come
// back with the queries that found them. In requests of the size that the platform takes.

import { ask } from "./desk.js";
import { knows, moment, say, told } from "./say.js";

/** The desk of the page, and what it asks. */
export class Asking {
  constructor(desk, most) {
    this.desk = desk;
    this.most = most;
  }

  get premises() {
    return this.desk.premises;
  }

  /**
   * Look `entries` {kind, value} up for `grounds`; `onSome({from, answer, queries})` is called for
   * each request that was answered, so that what comes after an error loses nothing.
   */
  async lookUp(entries, grounds, { onStep, onSome }) {
    for (let from = 0; from < entries.length; from += this.most) {
      const few = entries.slice(from, from + this.most);
      const done = (share) => onStep(share < 1 ? "blinding" : "asking", (from + share * few.length) / entries.length);
      const [answer, queries] = await this.#once(few, grounds, done, true);
      onSome({ from, answer, queries });
    }
  }

  async #once(entries, grounds, onShare, mayRenew) {
    onShare(0);
    const pseudonyms = await this.premises.ask(
      "pseudonymise",
      {
        values: entries.map(({ kind, value }) => ({ kind, value })),
        document: this.desk.document,
        purpose: grounds.purpose,
        caseReference: grounds.case,
      },
      (done, total) => onShare(Math.min(0.99, done / total)),
    ).catch((error) => this.#renewed(error, mayRenew));
    if (!pseudonyms) return this.#once(entries, grounds, onShare, false);
    onShare(1);
    const queries = pseudonyms.map((each, place) => queryOf(String(place), each));
    const answer = await ask("POST", "/api/v1/lookups", { ...grounds, queries }).catch((error) =>
      this.#renewed(error, mayRenew),
    );
    return answer ? [answer, queries] : this.#once(entries, grounds, onShare, false);
  }

  /** Once, when the page has grown too old: its keys, or its token after another sign-in. */
  async #renewed(error, mayRenew) {
    const code = mayRenew ? error.problem?.code : "";
    if (code === "epoch-closed") await this.#renewKeys();
    else if (code !== "cross-site-request" || !(await renewToken())) throw error;
    return null;
  }

  /** The keys of now; as when the page was opened, a changed one stops it. */
  async #renewKeys() {
    const { premises, document, fingerprint } = this.desk;
    const found = await premises.ask("keys", { pinned: document });
    if (found.fingerprint !== fingerprint) {
      throw Object.assign(new Error("unpinned"), { name: "KeyDocumentError", code: "unpinned" });
    }
    this.desk = { ...this.desk, document: found.document };
  }
}

/** Whether the person signed in again in another tab and goes on here, with what was typed. */
async function renewToken() {
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  const written = await answer.text();
  const token = /name="csrf_token" value="([\w.-]+)"/.exec(written)?.[1];
  const { person } = document.getElementById("search").dataset;
  if (!answer.ok || !token || !written.includes(`data-person="${person}"`)) return false;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  return true;
}

/** A pseudonym as a query of a lookup. */
function queryOf(id, pseudonym) {
  const tokens = pseudonym.facets.map(({ number, token }) => ({ facet: number, token }));
  const { kind, epoch } = pseudonym;
  return epoch ? { id, kind, epoch, tokens } : { id, kind, tokens };
}

/** What went wrong, as {reason, remedy} in the person's language. */
export function refusalOf(error) {
  const { code, resets_at: resets } = error.problem ?? {};
  if (code === "quota-spent" && resets) {
    return { reason: say("refused.quota-spent"), remedy: say("search.refills", { at: moment(resets) }) };
  }
  if (code && code !== "proof-needed" && knows(`refused.${code}`)) {
    return { reason: say(`refused.${code}`, error.problem), remedy: say(`refused.${code}.remedy`, error.problem) };
  }
  if (error instanceof Error) return told(error);
  return error;
}
