// Draws every figure.chart of the page above its table, once it comes near the screen.
// What is drawn is read from the table, so that nothing is told by a picture alone.

import { inNumbers, language, say } from "/static/js/say.js";

const NEAR = "400px 0px"; // of the screen, where drawing begins
const LINGER = 200; // milliseconds that a tip stays after the pointer left
const DAY = 86_400_000;
const STEP = 60; // CSS pixels that a key moves a map
const MOVES = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
const SHARES = new Intl.NumberFormat(language, { style: "percent" });
const ZONE = document.getElementById("chart-parts")?.dataset.zone || "UTC"; // of the page's own times

const drawn = new WeakMap(); // figures and their Drawing
const shown = new Set(); // drawings that follow the theme
let made = 0;
const approached = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      approached.unobserve(target);
      void draw(target);
    }
  },
  { rootMargin: NEAR },
);

for (const figure of document.querySelectorAll("figure.chart")) approached.observe(figure);
new MutationObserver(follow).observe(document.documentElement, {
  attributeFilter: ["data-theme", "data-bs-theme"],
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
document.getElementById("dark")?.addEventListener("load", follow);

/** Draws a figure, or draws it anew after its table changed; its picture, or null when it cannot be. */
export async function draw(figure) {
  approached.unobserve(figure);
  const known = drawn.get(figure) ?? new Drawing(figure);
  drawn.set(figure, known);
  return known.draw();
}

function follow() {
  requestAnimationFrame(() => {
    for (const drawing of shown) drawing.redraw();
  });
}

class Drawing {
  #place = -1; // of the item that is told of
  #linger = 0;
  #isTouched = false;
  #width = 0;

  constructor(figure) {
    const parts = document.getElementById("chart-parts").content;
    this.figure = figure;
    this.title = figure.querySelector("figcaption")?.textContent.trim() ?? "";
    this.root = parts.querySelector(".chart-drawn").cloneNode(true);
    this.undrawn = parts.querySelector(".chart-undrawn").cloneNode(true);
    const part = (selector) => this.root.querySelector(selector);
    this.board = part(".chart-board");
    this.tip = part(".chart-tip");
    this.legend = part(".chart-legend");
    this.summary = part(".chart-summary");
    this.status = part("[role=status]");
    this.#name(part("[data-hint]"));
    this.#listen();
  }

  async draw() {
    if (!this.figure.querySelector("tbody tr:not([data-chart-skip])")) return this.#leave(null);
    if (!this.root.isConnected) this.figure.querySelector("figcaption")?.after(this.root);
    this.undrawn.remove();
    delete this.figure.dataset.plain;
    try {
      const { Picture } = await import("/static/modules/charts.js");
      this.picture ??= this.#observed(new Picture(this.figure, this.board, { say, inNumbers, percent, tick }));
      await this.picture.draw();
      return this.picture;
    } catch (error) {
      console.warn(`A chart was not drawn: ${error.name}`); // its message may hold a value
      return this.#leave(this.undrawn);
    }
  }

  redraw() {
    if (this.figure.isConnected) this.picture?.redraw();
    else {
      this.picture?.dispose();
      shown.delete(this);
    }
  }

  #leave(sentence) {
    this.root.remove();
    this.figure.dataset.plain = "";
    if (sentence) this.figure.querySelector("details")?.before(sentence);
    const table = this.figure.querySelector("details");
    if (table) table.open = true;
    return null;
  }

  #name(hint) {
    made += 1;
    const id = `chart-${made}`;
    this.summary.id = `${id}-summary`;
    hint.id = `${id}-hint`;
    this.board.setAttribute("aria-label", this.title);
    this.board.setAttribute("aria-describedby", `${this.summary.id} ${hint.id}`);
  }

  #observed(picture) {
    shown.add(this);
    picture.addEventListener("drawn", () => this.#dress());
    picture.addEventListener("over", ({ detail }) => this.#tell(detail.place, [detail.x, detail.y]));
    picture.addEventListener("out", () => this.#lingering());
    picture.addEventListener("chosen", ({ detail }) => {
      const link = picture.plan.items[detail.place]?.link;
      if (link && !this.#isTouched) location.assign(link);
      else this.#tell(detail.place, [detail.x, detail.y]);
    });
    new ResizeObserver(() => {
      if (this.board.clientWidth !== this.#width) this.redraw();
    }).observe(this.board);
    return picture;
  }

  #dress() {
    const { plan } = this.picture;
    this.#width = this.board.clientWidth;
    this.#hush();
    this.summary.textContent = plan.summary.join(" ");
    this.root.querySelector(".chart-moves").hidden = !plan.roam;
    this.root.querySelector("[data-move=benelux]").hidden = !plan.frames?.benelux;
    this.legend.replaceChildren(
      ...plan.legend.map((each) => {
        const entry = document.createElement("li");
        entry.append(each.isArea ? this.picture.tile(each.place) : symbol(each), each.words);
        return entry;
      }),
    );
  }

  #listen() {
    this.board.addEventListener("keydown", (event) => this.#key(event));
    this.board.addEventListener("blur", () => this.#lingering());
    this.board.addEventListener("pointerdown", (event) => {
      this.#isTouched = event.pointerType === "touch";
    });
    this.tip.addEventListener("pointerenter", () => clearTimeout(this.#linger));
    this.tip.addEventListener("pointerleave", () => this.#lingering());
    this.tip.addEventListener("focusin", () => clearTimeout(this.#linger));
    this.tip.addEventListener("focusout", () => this.#lingering());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#hush();
    });
    this.root.addEventListener("click", ({ target }) => {
      const { move, save } = target.closest("[data-move], [data-save]")?.dataset ?? {};
      if (move) this.picture.move(move);
      if (save) void this.#save(save);
    });
  }

  #key(event) {
    const { plan } = this.picture ?? {};
    if (!plan || event.ctrlKey || event.altKey || event.metaKey) return;
    const last = plan.items.length - 1;
    const act = { "+": "in", "=": "in", "-": "out", 0: "world" }[event.key];
    const next = {
      ArrowRight: Math.min(this.#place + 1, last),
      ArrowDown: Math.min(this.#place + 1, last),
      ArrowLeft: Math.max(this.#place - 1, 0),
      ArrowUp: Math.max(this.#place - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (event.shiftKey && event.key in MOVES) {
      if (!plan.roam) return;
      const [x, y] = MOVES[event.key];
      this.picture.move({ x, y });
    } else if (act) {
      if (!plan.roam) return;
      this.picture.move(act);
    } else if (next !== undefined) {
      this.#tell(next, null);
      this.status.textContent = say("chart.place", { words: plan.items[next].words, place: next + 1, all: last + 1 });
    } else if (event.key === "Enter") {
      const link = plan.items[this.#place]?.link;
      if (!link) return;
      location.assign(link);
    } else return;
    event.preventDefault();
  }

  #tell(place, spot) {
    const item = this.picture.plan.items[place];
    if (!item) return;
    clearTimeout(this.#linger);
    this.#place = place;
    const [x, y] = this.picture.point(place) ?? spot ?? [this.board.clientWidth / 2, 0];
    const [words, link] = this.tip.children;
    words.textContent = item.words;
    link.hidden = !item.link;
    if (item.link) link.href = item.link;
    this.tip.hidden = false;
    const [left, top] = spot ?? [x, y];
    this.tip.style.left = `${within(left + 12, this.board.clientWidth - this.tip.offsetWidth)}px`;
    this.tip.style.top = `${within(top + 18, this.board.clientHeight)}px`;
  }

  #lingering() {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#hush(), LINGER);
  }

  #hush() {
    clearTimeout(this.#linger);
    this.tip.hidden = true;
    this.#place = -1;
    this.picture?.point(-1);
  }

  async #save(form) {
    const file = await this.picture.saved(form, this.title);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${fileName(this.title)}.${form}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

function within(place, most) {
  return Math.max(0, Math.min(place, most));
}

function fileName(title) {
  return title.normalize("NFKD").replaceAll(/[^\w]+/g, "-").replaceAll(/^-+|-+$/g, "").toLowerCase() || "chart";
}

function symbol({ shape, colour }) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", shape);
  path.setAttribute("fill", colour);
  drawing.setAttribute("viewBox", "0 0 14 14");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(path);
  return drawing;
}

function percent(share) {
  return SHARES.format(share);
}

/** How the moments of an axis are written, by how far it reaches: hours, days or months. */
function tick(first, last) {
  const span = last - first;
  const parts =
    span > 700 * DAY
      ? { year: "numeric", month: "short" }
      : span > 2 * DAY
        ? { day: "numeric", month: "short" }
        : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  const format = new Intl.DateTimeFormat(language, { ...parts, timeZone: span > 2 * DAY ? "UTC" : ZONE });
  return (moment) => format.format(moment);
}
