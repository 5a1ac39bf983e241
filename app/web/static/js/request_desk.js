// What both sides of a disclosure request do on its page: read it, open its messages, write one.

import { ask, openDesk } from "./desk.js";
import { keyPanel } from "./key_panel.js";
import { say } from "./say.js";

/** The desk of the page's request; throws what `openDesk` throws. */
export async function openRequest(root) {
  const { premises, document: keys } = await openDesk();
  const panel = keyPanel(document.querySelector("[data-key-panel]"), premises);
  return new RequestDesk(root.dataset, premises, keys, panel);
}

class RequestDesk {
  request = null; // as the interface tells it

  constructor({ request, side, other, otherName }, premises, keys, panel) {
    this.address = `/api/v1/disclosures/${side}/${request}`;
    this.premises = premises;
    this.keys = keys; // the platform's, under which values are evaluated
    this.panel = panel;
    this.code = other;
    this.name = otherName;
  }

  /** The other organisation as it is pinned here: {fingerprint, recipients, signers}. */
  other() {
    return this.panel.other(this.code, this.name);
  }

  /** The opened messages [{id, text, about, differs}], shown where the page lists them. */
  async openMessages() {
    this.request = await ask("GET", this.address);
    if (!this.request.messages.length) return [];
    const { signers } = await this.other();
    const opened = await this.premises.ask("readMessages", { request: this.request, signers });
    for (const message of opened) show(message);
    return opened;
  }

  /** {record, message}: a text of one kind, sealed to both sides. */
  async sealed(kind, text) {
    const { recipients } = await this.other();
    const [owner, request] = [this.request.owner.code, this.request.id];
    const message = { owner, kind, text, about: null, request, recipients };
    return this.premises.ask("writeMessage", message);
  }

  post(verb, body) {
    return ask("POST", `${this.address}/${verb}`, body);
  }

  /** The bytes of one sealed part; each fetch is logged. */
  async bytes(kind, id) {
    const answer = await fetch(`${this.address}/${kind}/${id}`);
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(`The platform said ${answer.status}.`), {
      name: "RefusedError",
      status: answer.status,
      problem,
    });
  }
}

/** Come back to the page of the request, as it stands now; true, as `atWork` wants it. */
export function reload(done) {
  location.assign(`${location.pathname}?done=${done}`);
  return true;
}

function show({ id, text, about }) {
  const place = document.querySelector(`[data-message="${id}"]`);
  if (!place || text === null) return;
  const said = place.querySelector("[data-text]");
  said.textContent = text || say("message.empty");
  said.hidden = false;
  place.querySelector("[data-sealed]").hidden = true;
  if (!about) return;
  const of = place.querySelector("[data-case]");
  of.textContent = say("message.case", { case: about.case });
  of.hidden = false;
}
