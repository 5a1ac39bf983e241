// Why somebody searches: purpose, legal basis and case, kept by this tab for the person alone.

import { refuse } from "./at_work.js";
import { say } from "./say.js";
import { at } from "./search_parts.js";

const KEPT = { case: "postern.case", grounds: "postern.grounds", person: "postern.person" };

/** The purpose, basis and case of the session; `ask()` shows the form for them. */
export class Grounds {
  #form = at("search-why-form");
  #chosen = at("search-grounds");
  #case = at("search-case");

  /** `onGiven` is called when they were given or changed. */
  constructor(person, onGiven) {
    if (sessionStorage.getItem(KEPT.person) !== person) {
      for (const key of Object.values(KEPT)) sessionStorage.removeItem(key); // another person's
      sessionStorage.setItem(KEPT.person, person);
    }
    this.#chosen.value = sessionStorage.getItem(KEPT.grounds) ?? "";
    this.#case.value = sessionStorage.getItem(KEPT.case) ?? "";
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep(onGiven);
    });
    at("search-why-change").addEventListener("click", () => this.ask());
    this.#show(this.given !== null);
  }

  /** {purpose, legal_basis, case}, or null while they are not given. */
  get given() {
    const grounds = sessionStorage.getItem(KEPT.grounds);
    const reference = sessionStorage.getItem(KEPT.case);
    const isOffered = [...this.#chosen.options].some((each) => each.value && each.value === grounds);
    if (!isOffered || !reference) return null;
    const [purpose, basis] = grounds.split(" ");
    return { purpose, legal_basis: basis, case: reference };
  }

  ask() {
    this.#show(false);
    (this.#chosen.value ? this.#case : this.#chosen).focus();
  }

  #keep(onGiven) {
    const reference = this.#case.value.trim();
    if (!this.#chosen.value || !reference) {
      refuse(this.#form, { reason: say("search.why_needed"), remedy: say("search.why_needed.remedy") });
      return;
    }
    sessionStorage.setItem(KEPT.grounds, this.#chosen.value);
    sessionStorage.setItem(KEPT.case, reference);
    this.#form.querySelector("[data-refused]").hidden = true;
    this.#show(true);
    onGiven();
  }

  #show(isGiven) {
    this.#form.hidden = isGiven;
    at("search-why-said").hidden = !isGiven;
    if (!isGiven) return;
    const { purpose, legal_basis: basis, case: reference } = this.given;
    at("search-why-words").textContent = say("search.why", {
      case: reference,
      purpose: say(`purpose.${purpose}`),
      basis: say(`basis.${basis}`),
    });
  }
}
