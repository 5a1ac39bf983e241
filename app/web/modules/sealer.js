// Sealing to one's own keys: values, notes and files. The counterpart of postern/sealing.py; that
// the unlocked keys are the published ones is checked before, by the page's key panel.

import { seal } from "./seal.js";
import { plaintextOf } from "./sealed_content.js";
import { TOKEN_SIZE } from "./tokens.js";

const NO_TOKEN = new Uint8Array(TOKEN_SIZE); // of what is not matched

export class Sealer {
  #owner;
  #recipients;
  #identity;

  /** `recipients` are PublicKeys, `identity` signs. */
  constructor(owner, recipients, identity) {
    this.#owner = owner;
    this.#recipients = recipients;
    this.#identity = identity;
  }

  /** The envelope of an indicator's value; `where` is {kind, epoch, token, record}. */
  value(where, fields) {
    return this.#sealed({ kind: where.kind, fields }, { ...where, part: "value" });
  }

  /** The envelope of what the submitter wrote of an indicator. */
  note(where, note) {
    return this.#sealed({ note }, { ...where, part: "note" });
  }

  /** The envelope of a report's file {name, media_type, content}, the `number`-th from 1. */
  attachment(clientKey, number, file) {
    return this.#sealed(file, { kind: "report", epoch: 0, token: null, record: clientKey, part: `attachment/${number}` });
  }

  #sealed(content, where) {
    const context = { ...where, owner: this.#owner, token: where.token ?? NO_TOKEN };
    return seal(plaintextOf(content), context, this.#recipients, this.#identity);
  }
}
