// The published keys of organisations, as this browser accepted them: pinned after a person compared
// a fingerprint, followed as they grow, never swapped. The counterpart of postern/organisation_pins.py
// and postern/commands/own_keys.py; what is kept here is public.

import { ask } from "./desk.js";

const PINS = "postern.organisations"; // local storage: own code -> code -> chain of signed entries

export class FollowedKeys {
  #own;
  #premises;

  /** `own`: the code of the organisation for which the person is signed in. */
  constructor(own, premises) {
    this.#own = own;
    this.#premises = premises;
  }

  /** {fingerprint, recipients} of the unlocked keys, once they are those that are published. */
  async own(organisation) {
    if (organisation !== this.#own) {
      throw Object.assign(new Error("The key file is of another organisation."), {
        name: "OwnKeysError",
        code: "other-organisation",
      });
    }
    const entries = await published(organisation);
    return this.#watched(organisation, () => this.#premises.ask("ownKeys", { organisation, entries }));
  }

  /**
   * {organisation, fingerprint, recipients, signers} of another one. `compared(offered)` asks a
   * person, the first time, whether the fingerprint is the one that the organisation itself tells.
   */
  async of(organisation, compared) {
    const entries = await published(organisation);
    const pinned = this.#pins()[organisation] ?? null;
    const args = { organisation, entries, pinned };
    const found = await this.#watched(organisation, () => this.#premises.ask("chain", args));
    if (pinned === null && !(await compared(found))) {
      throw Object.assign(new Error("The fingerprint was not compared."), { name: "PinDeclinedError" });
    }
    this.#pin(organisation, found.chain);
    return found;
  }

  /** What `work` gives; keys that were swapped are told to the platform before they are refused. */
  async #watched(organisation, work) {
    try {
      return await work();
    } catch (error) {
      if (error.swapped) {
        const address = `/api/v1/organisations/${encodeURIComponent(organisation)}/keys/alarm`;
        await ask("POST", address, error.swapped).catch(() => {}); // the refusal is told either way
      }
      throw error;
    }
  }

  #pins() {
    return allPins()[this.#own] ?? {};
  }

  #pin(organisation, chain) {
    const all = allPins();
    const ours = { ...all[this.#own], [organisation]: chain };
    localStorage.setItem(PINS, JSON.stringify({ ...all, [this.#own]: ours }));
  }
}

async function published(organisation) {
  const found = await ask("GET", `/api/v1/organisations/${encodeURIComponent(organisation)}/keys`);
  return found.entries;
}

function allPins() {
  try {
    return JSON.parse(localStorage.getItem(PINS)) ?? {};
  } catch {
    return {};
  }
}
