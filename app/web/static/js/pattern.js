// The editor of patterns: while one types, faults, words and tests follow the text. Without it the
// buttons of the page do the same by the server.

import { say } from "./say.js";

const PAUSE = 600; // milliseconds without a change before the text is checked
const form = document.getElementById("pattern");
const text = document.getElementById("text");
const gutter = document.getElementById("gutter");
const state = document.getElementById("pattern-state");
const faults = document.getElementById("faults");

let waiting = 0;
let asked = 0;
let isSaved = true;

text.addEventListener("input", changed);
text.addEventListener("scroll", follow);
form.addEventListener("input", () => (isSaved = false));
form.addEventListener("submit", () => (isSaved = true));
window.addEventListener("beforeunload", (event) => {
  if (!isSaved) event.preventDefault();
});
faults.addEventListener("click", (event) => {
  const fault = event.target.closest("button[data-place]")?.closest("li");
  if (fault) goTo(Number(fault.dataset.line), Number(fault.dataset.column));
});

const found = [...faults.querySelectorAll("li")].map((each) => ({
  line: Number(each.dataset.line),
  column: Number(each.dataset.column),
  said: each.querySelector("span[lang]"),
}));
showFaults(
  found.map(({ line, column, said }) => ({ line, column, reason: said.textContent, remedy: "", language: said.lang })),
);

function changed() {
  number();
  state.textContent = say("unsaved");
  clearTimeout(waiting);
  waiting = setTimeout(check, PAUSE);
}

async function check() {
  const mine = ++asked;
  const answer = await fetch(form.dataset.compose, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ csrf_token: form.elements.csrf_token.value, text: text.value }),
  }).catch(() => null);
  if (mine !== asked) return; // a later change has asked again
  if (!answer?.ok) {
    state.textContent = `${say("unsaved")} ${say("unchecked")}`;
    return;
  }
  const checked = await answer.json();
  showFaults(checked.faults);
  document.getElementById("says").textContent = checked.explanation || say("untold");
  showTests(checked.examples);
  state.textContent = `${say("unsaved")} ${title(checked.faults.length)}`;
}

function showFaults(all) {
  document.getElementById("faults-title").textContent = title(all.length);
  const lines = text.value.split("\n");
  faults.replaceChildren(
    ...all.map(({ line, column, reason, remedy, language }) => {
      const item = part("fault-source");
      item.dataset.line = line;
      item.dataset.column = column;
      item.querySelector("button").textContent = say("place", { line, column });
      item.querySelector("code").textContent = (lines[line - 1] ?? "").trim().slice(0, 80);
      const said = item.querySelector("[data-said]");
      said.textContent = `${reason} ${remedy}`.trim();
      said.lang = language;
      return item;
    }),
  );
  number(new Set(all.map((each) => each.line)));
}

function showTests(examples) {
  const place = document.getElementById("tests");
  if (!examples.length) {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = say("untried");
    place.replaceChildren(note);
    return;
  }
  const list = document.createElement("ul");
  list.className = "lights";
  for (const { line, parcels, must_hit, passed } of examples) {
    const item = part(passed ? "passed-source" : "failed-source");
    const key = must_hit ? "hit" : "miss";
    item.lastElementChild.textContent = say(key, { line, num: parcels });
    list.append(item);
  }
  place.replaceChildren(list);
}

/** Numbers beside the lines; those of faulty lines are marked, until the next check. */
function number(wrong = new Set()) {
  const count = text.value.split("\n").length;
  gutter.replaceChildren(
    ...Array.from({ length: count }, (_, place) => {
      const line = document.createElement("span");
      line.textContent = String(place + 1);
      if (wrong.has(place + 1)) line.className = "pattern-wrong";
      return line;
    }),
  );
  follow();
}

function follow() {
  gutter.scrollTop = text.scrollTop;
}

function goTo(line, column) {
  const lines = text.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const start = before + Math.min(column - 1, (lines[line - 1] ?? "").length);
  text.focus();
  text.setSelectionRange(start, before + (lines[line - 1] ?? "").length);
  const height = text.scrollHeight / lines.length;
  text.scrollTop = Math.max(0, (line - 5) * height);
}

function title(count) {
  return count ? say("faults", { num: count }) : say("faults.none");
}

function part(source) {
  return document.getElementById(source).content.firstElementChild.cloneNode(true);
}
