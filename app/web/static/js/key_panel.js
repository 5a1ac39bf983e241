// The panel in which a person opens the organisation's key file: `{{ key_panel() }}` in a template.
//
//   const panel = keyPanel(document.querySelector("[data-key-panel]"), premises);
//   panel.keys                  null while locked, else {organisation, member, fingerprint, recipients}
//   await panel.unlocked()      the same, now or as soon as a person has unlocked the key file
//   await panel.other(code, name)   another organisation as it is pinned in this browser:
//                               {organisation, fingerprint, recipients, signers}; a person is asked
//                               to compare the fingerprint the first time. Refused: PinDeclinedError,
//                               KeySwappedError (told to the platform), EntryRefusedError
//   panel.addEventListener("unlocked" | "locked", ...)
//   panel.lock()
//
// `recipients` go to the worker's verbs "seal" and "writeMessage" as they are. The keys themselves
// stay in the worker, whose verbs "seal", "open" and "sign" use them; leaving the page locks them.

import { FollowedKeys } from "./followed_keys.js";
import { say, told } from "./say.js";

const KEPT = "postern.key-file"; // local storage: {organisation, name, member, written}, by choice
const LARGEST = 4_000_000; // bytes of a key file

export function keyPanel(element, premises) {
  return new KeyPanel(element, premises);
}

class KeyPanel extends EventTarget {
  keys = null;
  #element;
  #premises;
  #followed;
  #written = null; // the chosen file, locked as it is

  constructor(element, premises) {
    super();
    this.#element = element;
    this.#premises = premises;
    this.#followed = new FollowedKeys(element.dataset.organisation, premises);
    this.#part("open").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#unlock();
    });
    this.#field("file").addEventListener("change", () => this.#choose());
    element.addEventListener("click", ({ target }) => this.#pressed(target.closest("[data-do]")));
    window.addEventListener("pagehide", () => this.#leave());
    window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    element.hidden = false;
    this.#offerKept();
  }

  unlocked() {
    if (this.keys) return Promise.resolve(this.keys);
    return new Promise((resolve) => {
      this.addEventListener("unlocked", () => resolve(this.keys), { once: true });
    });
  }

  async other(code, name = code) {
    return this.#followed.of(code, (offered) => this.#compared(name, offered));
  }

  lock() {
    if (!this.keys) return;
    this.keys = null;
    this.#premises.ask("lock");
    this.#show("locked");
    this.#say(say("panel.locked"));
    this.dispatchEvent(new Event("locked"));
  }

  /** The page is left: what it holds is forgotten, and a page that comes back begins anew. */
  #leave() {
    this.keys = null;
    this.#premises.ask("lock");
  }

  #pressed(button) {
    const done = button?.dataset.do;
    if (done === "lock") {
      this.lock();
      this.#field("passphrase").focus();
    } else if (done === "forget") {
      localStorage.removeItem(KEPT);
      this.#part("forget").hidden = true;
      if (!this.keys) this.#chooseAnew();
      this.#say(say("panel.forgotten"));
    } else if (done === "other") {
      this.#chooseAnew();
      this.#field("file").focus();
    }
  }

  #offerKept() {
    const kept = keptFile();
    const isOurs = kept !== null && kept.organisation === this.#element.dataset.organisation;
    this.#part("forget").hidden = kept === null;
    if (!isOurs) return;
    this.#part("kept-name").textContent = kept.name;
    this.#part("kept").hidden = false;
    this.#part("choose").hidden = true;
    this.#part("keep").hidden = true;
    this.#take(kept.written, kept.member);
  }

  #chooseAnew() {
    this.#written = null;
    this.#part("kept").hidden = true;
    this.#part("choose").hidden = false;
    this.#part("keep").hidden = false;
    this.#field("file").value = "";
    this.#field("member").replaceChildren();
    this.#field("member").disabled = true;
  }

  async #choose() {
    const [file] = this.#field("file").files;
    if (!file) return;
    if (file.size > LARGEST) this.#refuse({ name: "KeyFileError", code: "damaged" });
    else if (await this.#take(await file.text())) this.#field("passphrase").focus();
  }

  /** Whether a text is a key file; its members are offered. */
  async #take(written, member) {
    this.#accept();
    try {
      const found = await this.#premises.ask("members", { written });
      const members = this.#field("member");
      members.replaceChildren(...found.members.map((name) => new Option(name, name)));
      if (found.members.includes(member)) members.value = member;
      members.disabled = false;
      this.#written = written;
      return true;
    } catch (error) {
      this.#written = null;
      this.#refuse(error, this.#field("file"));
      return false;
    }
  }

  async #unlock() {
    this.#accept();
    const [member, passphrase] = [this.#field("member"), this.#field("passphrase")];
    if (this.#written === null) {
      this.#refuse({ name: "KeyFileError", code: "none" }, this.#field("file"));
      return;
    }
    this.#show("unlocking");
    this.#say(say("panel.unlocking"));
    try {
      const args = { written: this.#written, member: member.value, passphrase: passphrase.value };
      const opened = await this.#premises.ask("unlock", args, (done, total) => {
        this.#part("progress").value = done / total;
      });
      const own = await this.#followed.own(opened.organisation);
      this.keys = { organisation: opened.organisation, member: member.value, ...own };
    } catch (error) {
      await this.#premises.ask("lock");
      this.#show("locked");
      this.#say("");
      this.#refuse(error, passphrase);
      return;
    }
    passphrase.value = "";
    this.#keep(member.value);
    this.#part("organisation").textContent = this.keys.organisation;
    this.#part("opened-by").textContent = this.keys.member;
    this.#part("fingerprint").textContent = this.keys.fingerprint;
    this.#show("unlocked");
    this.#say(say("panel.unlocked"));
    this.dispatchEvent(new Event("unlocked"));
    if (this.#element.contains(document.activeElement) || document.activeElement === document.body) {
      this.#part("unlocked").focus();
    }
  }

  /** Keep the locked file in this browser, where the person chose that. */
  #keep(member) {
    const [file] = this.#field("file").files;
    const kept = keptFile();
    const name = file?.name ?? kept?.name;
    if (!this.#field("keep").checked && !(kept && this.#part("choose").hidden)) return;
    const { organisation } = this.keys;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ organisation, name, member, written: this.#written }));
      this.#part("forget").hidden = false;
    } catch {
      this.#say(say("panel.not-kept"));
    }
  }

  /** Whether a person has compared the fingerprint of an organisation seen for the first time. */
  #compared(name, { fingerprint }) {
    const pin = this.#part("pin");
    this.#part("pin-name").textContent = name;
    this.#part("pin-fingerprint").textContent = fingerprint;
    pin.hidden = false;
    pin.focus();
    return new Promise((resolve) => {
      const decide = (event) => {
        const button = event.target.closest("[data-pin]");
        if (!button) return;
        pin.removeEventListener("click", decide);
        pin.hidden = true;
        resolve(button.dataset.pin === "yes");
      };
      pin.addEventListener("click", decide);
    });
  }

  #show(state) {
    this.#part("open").hidden = state === "unlocked";
    this.#part("unlocked").hidden = state !== "unlocked";
    this.#part("progress").hidden = state !== "unlocking";
    this.#part("progress").value = 0;
    this.#part("state").textContent = say(`panel.state.${state}`);
    this.#part("state").classList.toggle("badge-good", state === "unlocked");
    for (const each of this.#part("open").querySelectorAll("button, input")) {
      each.disabled = state === "unlocking";
    }
  }

  #say(words) {
    this.#part("said").textContent = words;
  }

  #refuse(error, field) {
    const { reason, remedy } = told(error);
    this.#part("reason").textContent = reason;
    this.#part("remedy").textContent = remedy;
    this.#part("wrong").hidden = false;
    field?.setAttribute("aria-invalid", "true");
    field?.focus();
  }

  #accept() {
    this.#part("wrong").hidden = true;
    for (const each of this.#element.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  }

  #part(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }

  #field(name) {
    return this.#element.querySelector(`[data-field="${name}"]`);
  }
}

function keptFile() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return typeof kept?.written === "string" ? kept : null;
  } catch {
    return null;
  }
}
