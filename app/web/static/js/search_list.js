// A pasted list: one value a line. What each line was recognised as, which lines are wrong and why,
// and the answers, line by line.

import { say } from "./say.js";
import { refusalOf } from "./search_asking.js";
import { counted } from "./search_hits.js";
import { at, csvOf, fill, FIRST_ROWS, flagWords, made, rowOf, save } from "./search_parts.js";

const SHOWN_LETTERS = 60; // of a line in a table

/** The lines of the box and what became of each. */
export class PastedList {
  #asking;
  #country;
  #onShow;
  #read = 0;
  #lines = []; // {line, text, entry, fault, flags, answer}
  #order = ["line", 1];

  /** `onShow(about)` shows the answer to one line. */
  constructor(asking, country, onShow) {
    this.#asking = asking;
    this.#country = country;
    this.#onShow = onShow;
    at("search-save").addEventListener("click", () => this.#saveAnswers());
    at("search-rejected").addEventListener("click", () => this.#saveRejected());
    for (const button of document.querySelectorAll(".search-sort")) {
      button.addEventListener("click", () => this.#sort(button));
    }
  }

  /** Read texts and show what each is; gives whether they are still the last that were typed. */
  async read(texts) {
    const mine = ++this.#read;
    const { premises } = this.#asking;
    const found = await premises.ask("recognise", { texts, country: this.#country });
    if (mine !== this.#read) return false;
    const best = found.map(([first]) => first);
    const values = best.filter(Boolean).map(({ kind, value }) => ({ kind, value }));
    const checks = (await premises.ask("checkAll", { values }))[Symbol.iterator]();
    if (mine !== this.#read) return false;
    this.#lines = texts.map((text, place) => {
      const line = { line: place + 1, text, entry: best[place] ?? null, flags: [], fault: null, about: null };
      if (line.entry) line.flags = checks.next().value.flags;
      else line.fault = { reason: say("search.unknown"), remedy: say("search.unknown.remedy") };
      return line;
    });
    // Of a long list the first rows alone are drawn: there stands what a person looks for.
    this.#sortBy(texts.length > FIRST_ROWS ? "hits" : "line", texts.length > FIRST_ROWS ? -1 : 1);
    this.#preview();
    return true;
  }

  /** The lines that may be looked up and have no answer yet. */
  get waiting() {
    return this.#lines.filter((line) => line.entry && !line.about);
  }

  /** Look up what waits; what is answered before an error stays. */
  async lookUp(grounds, onStep) {
    const few = this.waiting;
    try {
      await this.#asking.lookUp(few.map((line) => line.entry), grounds, {
        onStep,
        onSome: ({ from, answer, queries }) => {
          answer.results.forEach((result, place) => {
            const line = few[from + place];
            const { lookup, asked_at } = answer;
            line.about = { ...result, lookup, asked_at, entry: line.entry, line: line.line, query: queries[place], grounds };
          });
          this.#answers();
        },
      });
    } catch (error) {
      const { reason, remedy } = refusalOf(error);
      for (const line of this.waiting) line.left = { reason, remedy };
      this.#answers();
      throw error;
    }
  }

  #preview() {
    const faulty = this.#lines.filter((line) => line.fault);
    const isLong = this.#lines.length > FIRST_ROWS;
    const shown = isLong ? [...faulty, ...this.#lines.filter((line) => !line.fault)] : this.#lines;
    fill(at("search-list"), shown, previewed);
    const wrong = faulty.length;
    const good = this.#lines.length - wrong;
    at("search-list-said").textContent = [
      say("search.list", { num: good }),
      ...(wrong ? [say("search.wrong", { num: wrong })] : []),
    ].join(" ");
    at("search-list").hidden = false;
    at("search-rejected").hidden = !wrong;
  }

  #answers() {
    const asked = this.#lines.filter((line) => line.about);
    const hits = asked.filter((line) => line.about.hits.length).length;
    const waiting = this.waiting.length;
    at("search-answers-said").textContent = [
      say("search.asked", { num: asked.length }),
      say("search.with_hits", { num: hits }),
      ...(waiting ? [say("search.waiting", { num: waiting })] : []),
    ].join(" ");
    at("search-go-on").hidden = !waiting;
    at("search-rejected").hidden = !this.#rejected.length;
    const [by, direction] = this.#order;
    const key = KEYS[by];
    const lines = this.#lines
      .filter((line) => line.entry)
      .toSorted((one, other) => direction * compared(key(one), key(other)) || one.line - other.line);
    fill(at("search-answers"), lines, (line) => this.#answerRow(line));
    at("search-answers").hidden = false;
  }

  #answerRow(line) {
    const { about } = line;
    const answer = made("span", answerOf(line), about?.hits.length ? "badge-plain badge-good" : "");
    const row = rowOf([String(line.line), shortened(line.text), say(`kind.${line.entry.kind}`), answer, ""], 1);
    row.cells[0].className = "number";
    if (about?.hits.length) {
      const button = made("button", say("search.show"), "btn btn-quiet btn-sm");
      button.type = "button";
      button.setAttribute("aria-label", say("search.show_line", { line: line.line }));
      button.addEventListener("click", () => this.#onShow(about));
      row.cells[4].append(button);
    }
    return row;
  }

  #sort(button) {
    const { sort } = button.dataset;
    const [by, direction] = this.#order;
    const first = sort === "hits" ? -1 : 1; // the most hits first
    this.#sortBy(sort, by === sort ? -direction : first);
    this.#answers();
  }

  #sortBy(column, direction) {
    this.#order = [column, direction];
    for (const button of document.querySelectorAll(".search-sort")) {
      const head = button.closest("th");
      if (button.dataset.sort !== column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    }
  }

  get #rejected() {
    return this.#lines.filter((line) => line.fault || (!line.about && line.left));
  }

  #saveRejected() {
    const rows = this.#rejected.map((line) => {
      const { reason, remedy } = line.fault ?? line.left;
      return [line.line, line.text, reason, remedy];
    });
    save(say("search.file_rejected"), csvOf([heads("line", "text", "reason", "remedy"), ...rows]));
  }

  #saveAnswers() {
    const rows = this.#lines
      .filter((line) => line.entry)
      .map((line) => {
        const owners = new Set((line.about?.hits ?? []).map((hit) => hit.organisation.code));
        return [line.line, line.text, say(`kind.${line.entry.kind}`), answerOf(line), [...owners].join(" ")];
      });
    save(say("search.file_answers"), csvOf([heads("line", "text", "kind", "answer", "owners"), ...rows]));
  }
}

const KEYS = {
  line: (line) => line.line,
  text: (line) => line.text.toLocaleLowerCase(),
  kind: (line) => line.entry.kind,
  hits: (line) => line.about?.hits.length ?? -1,
};

function compared(one, other) {
  return typeof one === "number" ? one - other : one.localeCompare(other);
}

function previewed(line) {
  const remark = line.fault ? `${line.fault.reason} ${line.fault.remedy}` : flagWords(line.flags).join(" ");
  const kind = line.entry ? say(`kind.${line.entry.kind}`) : "";
  const row = rowOf([String(line.line), shortened(line.text), kind], 1);
  row.cells[0].className = "number";
  if (remark) row.cells[1].append(made("p", remark, "note mb-0"));
  if (line.fault) row.className = "search-wrong";
  return row;
}

function answerOf({ about }) {
  return about ? counted(about.hits) : say("search.not_asked");
}

function heads(...names) {
  return names.map((name) => say(`search.file_${name}`));
}

function shortened(text) {
  return text.length > SHOWN_LETTERS ? `${text.slice(0, SHOWN_LETTERS)}…` : text;
}
