// One value: what the text in the box was recognised as, its parts to be corrected, and its check.

import { say, told } from "./say.js";
import { at, flagWords, made } from "./search_parts.js";

const PAUSE = 150; // milliseconds without a key before the text is read
const FIELDS = {
  party: ["name", "lines", "postcode", "city", "country"],
  address: ["lines", "postcode", "city", "country"],
  induction_point: ["operator", "code", "country"],
  vendor: ["handle", "market"],
  phone: ["country"],
  payment: ["scheme"],
};

/** The value of the box; `current()` waits for what was typed last. */
export class TypedValue {
  #premises;
  #country;
  #asked = 0;
  #isChosen = false; // a person said what it is
  #entry = null; // {kind, value}
  #fault = null;
  #reading = Promise.resolve();
  #waiting = 0;

  constructor(premises, country) {
    this.#premises = premises;
    this.#country = country;
    at("search-kind").addEventListener("change", () => this.#choose());
    at("search-fields").addEventListener("input", () => this.#edited());
  }

  /** Read a text soon; an empty one forgets what was chosen. */
  type(text) {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.read(text), PAUSE);
  }

  /** Read a text now. */
  read(text) {
    clearTimeout(this.#waiting);
    this.#reading = this.#read(text);
    return this.#reading;
  }

  /** {kind, value} as it may be looked up; throws {reason, remedy} when it may not. */
  async current(text) {
    clearTimeout(this.#waiting);
    if (!text.trim()) throw { reason: say("search.nothing_typed"), remedy: say("search.nothing_typed.remedy") };
    if (this.#text !== text) await this.read(text);
    await this.#reading;
    if (this.#fault) throw this.#fault;
    return this.#entry;
  }

  #text = "";

  async #read(text) {
    const mine = ++this.#asked;
    this.#text = text;
    if (!text.trim()) {
      this.#isChosen = false;
      this.#entry = null;
      at("search-value").hidden = true;
      return;
    }
    const [kind, value, why] = await this.#recognised(text);
    if (mine !== this.#asked) return; // a later text is being read
    this.#entry = { kind, value };
    at("search-kind").value = kind;
    at("search-why").textContent = why;
    this.#fill();
    at("search-value").hidden = false;
    await this.#check(mine);
  }

  async #recognised(text) {
    const country = this.#country;
    if (this.#isChosen) {
      const kind = at("search-kind").value;
      return [kind, await this.#premises.ask("readAs", { kind, text, country }), say("search.chosen")];
    }
    const [[best]] = await this.#premises.ask("recognise", { texts: [text], country });
    if (!best) {
      const value = await this.#premises.ask("readAs", { kind: "address", text, country });
      return ["address", value, say("search.unknown")];
    }
    const words = { certainty: say(`certainty.${best.certainty}`), sign: say(`sign.${best.why}`) };
    return [best.kind, best.value, say("search.recognised", words)];
  }

  #choose() {
    this.#isChosen = true;
    this.read(this.#text);
  }

  #edited() {
    const value = { ...this.#entry.value };
    for (const name of FIELDS[this.#entry.kind] ?? []) value[name] = readField(name);
    this.#entry = { ...this.#entry, value };
    this.#reading = this.#check(++this.#asked);
  }

  #fill() {
    const { kind, value } = this.#entry;
    const shown = FIELDS[kind] ?? [];
    for (const field of at("search-fields").querySelectorAll("[data-field]")) {
      const { field: name } = field.dataset;
      field.hidden = !shown.includes(name);
      const written = value[name] ?? "";
      field.querySelector(".form-control").value = Array.isArray(written) ? written.join("\n") : written;
    }
    at("search-fields").hidden = !shown.length;
  }

  async #check(mine) {
    let found = null;
    let fault = null;
    try {
      found = await this.#premises.ask("check", this.#entry);
      if (!found.facets.length) {
        fault = { reason: say("search.too_little"), remedy: say("search.too_little.remedy") };
      }
    } catch (error) {
      fault = told(error);
    }
    if (mine !== this.#asked) return;
    this.#fault = fault;
    this.#tell(found, fault);
  }

  #tell(found, fault) {
    const isGood = found !== null && fault === null;
    at("search-understood").textContent = isGood ? say("search.understood", { form: formWords(found.form) }) : "";
    const doubts = fault ? [`${fault.reason} ${fault.remedy}`] : flagWords(found.flags);
    at("search-flags").replaceChildren(
      ...doubts.map((each) => made("li", each, fault ? "search-fault" : "")),
    );
    at("search-compared").hidden = !isGood;
    at("search-compared").querySelector("ul").replaceChildren(
      ...(isGood ? found.facets : []).map((facet) => made("li", say(`facet.${facet.number}`))),
    );
  }
}

function readField(name) {
  const written = at(`search-field-${name}`).value;
  return name === "lines" ? written.split("\n").filter((line) => line.trim()) : written;
}

/** A canonical form as people can read it: its parts in their order. */
function formWords(form) {
  if (form.text !== undefined) return form.text;
  if (form.folded !== undefined) return [form.folded, form.market].filter(Boolean).join(" @ ");
  const number = `${form.number}${form.suffix}`;
  return [form.name_words.join(" "), form.streets.join(" / "), number, form.postcode, form.city]
    .filter(Boolean)
    .join(" · ");
}
