// The palette: Ctrl+K or / shows what the person may do, ? the keys, single letters go at once.
// Everything it offers stands in the page (templates/palette.html); without it there is /go.

import { say } from "./say.js";

const opener = document.getElementById("go");
const hasKeys = document.documentElement.dataset.keys !== "off";
const byKey = new Map(
  [...document.getElementById("palette-source").content.querySelectorAll("[data-key]")].map((way) => [
    way.dataset.key,
    way.dataset.address,
  ]),
);

opener.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new window or tab
  event.preventDefault();
  openPalette();
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) openPalette();
  } else if (hasKeys && isFree(event)) {
    single(event);
  }
});

function single(event) {
  if (event.key === "?") open("keys-source");
  else if (event.key === "/") openPalette();
  else if (byKey.has(event.key)) location.assign(byKey.get(event.key));
  else return;
  event.preventDefault();
}

// WCAG 2.1.4: a single key does nothing where it could be meant as text.
function isFree(event) {
  return (
    !event.defaultPrevented &&
    !event.repeat &&
    !event.isComposing &&
    !(event.ctrlKey || event.metaKey || event.altKey) &&
    !document.querySelector("dialog[open]") &&
    !event.target.closest("input, textarea, select, [contenteditable], [role=textbox], [role=listbox], [role=application]")
  );
}

function open(source) {
  const dialog = document.getElementById(source).content.cloneNode(true).querySelector("dialog");
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
  dialog.showModal();
  return dialog;
}

function openPalette() {
  const dialog = open("palette-source");
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const state = dialog.querySelector("[role=status]");
  const ways = [...list.children].map((node) => ({
    node,
    name: folded(node.firstElementChild.textContent),
    also: folded(node.dataset.also ?? ""),
  }));
  let chosen = null;

  const choose = (node) => {
    chosen?.setAttribute("aria-selected", "false");
    chosen = node ?? null;
    chosen?.setAttribute("aria-selected", "true");
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) input.setAttribute("aria-activedescendant", chosen.id);
    else input.removeAttribute("aria-activedescendant");
  };
  const filter = () => {
    const typed = folded(input.value).split(" ").filter(Boolean);
    const found = ways
      .map((way) => ({ way, score: scoreOf(way, typed) }))
      .filter(({ score }) => score > 0)
      .sort((one, other) => other.score - one.score)
      .map(({ way }) => way.node);
    list.replaceChildren(...found);
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    choose(found[0]);
    state.textContent = found.length ? say("palette.found", { num: found.length }) : say("palette.none");
  };
  const go = (node) => {
    if (!node) return;
    dialog.close();
    location.assign(node.dataset.address);
  };

  input.addEventListener("input", filter);
  list.addEventListener("click", (event) => go(event.target.closest("[role=option]")));
  input.addEventListener("keydown", (event) => {
    const { children } = list;
    const place = [...children].indexOf(chosen);
    const last = children.length - 1;
    const next = {
      ArrowDown: place === last ? 0 : place + 1,
      ArrowUp: place <= 0 ? last : place - 1,
      PageDown: Math.min(place + 8, last),
      PageUp: Math.max(place - 8, 0),
    }[event.key];
    if (next !== undefined) choose(children[next]);
    else if (event.key === "Enter") go(chosen);
    else return;
    event.preventDefault();
  });
  filter();
  input.focus();
}

/** 0 where a typed word is not there; more where it begins a word of the name. */
function scoreOf({ name, also }, typed) {
  let sum = 1;
  for (const word of typed) {
    const score = oneScore(name, word, 8) || oneScore(also, word, 4) || (isScattered(name, word) ? 1 : 0);
    if (score === 0) return 0;
    sum += score;
  }
  return sum;
}

function oneScore(text, word, most) {
  const place = ` ${text}`.indexOf(` ${word}`);
  if (place === 0) return most;
  if (place > 0) return most - 1;
  return word.length > 2 && text.includes(word) ? most - 2 : 0;
}

// The letters in their order, such as "rpt" in "report": forgives what is left out.
function isScattered(text, word) {
  let from = 0;
  for (const letter of word) {
    from = text.indexOf(letter, from) + 1;
    if (from === 0) return false;
  }
  return word.length > 2;
}

function folded(text) {
  return text
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}
