// What is said of a row's fields, faults and doubts; the words are the page's.

import { inNumbers, knows, say } from "./say.js";

/** The words of a field, "sender_name" or "sender_name (tlp)". */
export function fieldWords(field) {
  const [name] = field.split(" ");
  return knows(`field.${name}`) ? say(`field.${name}`) : field;
}

/** {reason, remedy} of a fault {field, reason, remedy, names} in the person's language. */
export function faultWords({ reason, remedy, names = {} }) {
  return { reason: phrase(reason, names), remedy: phrase(remedy, names) };
}

/** One clause for a flag of the normaliser or of the shipment. */
export function doubtWords(flag) {
  if (knows(`doubt.${flag}`)) return say(`doubt.${flag}`);
  const [, field, what] = /^(.*?)_(holds_too_little|unknown)/.exec(`${flag}`) ?? [null, flag, "unknown"];
  return say(what === "unknown" ? "doubt.unknown" : "doubt.too-little", { field: fieldWords(field) });
}

/** The words of the page, for the worker, which writes files. */
export function allWords() {
  const written = [...document.querySelectorAll("template[data-words]")];
  return Object.assign({}, ...written.map((each) => JSON.parse(each.dataset.words)));
}

function phrase(sentence, names) {
  const shown = names.column ? { ...names, column: fieldWords(names.column) } : names;
  if (knows(sentence)) return say(sentence, shown);
  return sentence.replaceAll(/%\((\w+)\)s/g, (_, name) =>
    typeof names[name] === "number" ? inNumbers(names[name]) : String(names[name] ?? ""),
  );
}
