// The words of a page: its server writes them, in the person's language, into <template data-words>.

const words = Object.assign(
  {},
  ...[...document.querySelectorAll("template[data-words]")].map((each) => JSON.parse(each.dataset.words)),
);
const filled = Object.keys(words)
  .filter((key) => key.includes(" ") && key.includes("%("))
  .map((key) => [expression(key), key]);
const spoken = document.documentElement.lang || "en";
export const language = spoken === "en" ? "en-GB" : spoken; // dates as the server writes them
export const zone = document.documentElement.dataset.zone || "UTC"; // of the page's own times
const plural = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);
const moments = new Intl.DateTimeFormat(language, {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: zone,
});
const days = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });

/** The sentence of a key, `%(name)s` filled in; with `num`, of `key.one` or `key.other`. */
export function say(key, values = {}) {
  const form = values.num === undefined ? key : `${key}.${plural.select(values.num)}`;
  const pattern = words[form] ?? words[key];
  if (pattern === undefined) throw new RangeError(`The page has no words for ${form}.`);
  return pattern.replaceAll(/%\((\w+)\)s/g, (_, name) => shown(values[name]));
}

/** Whether the page has words for a key. */
export function knows(key) {
  return Object.hasOwn(words, key);
}

/** What went wrong in the worker or on the way, as {reason, remedy} in the person's language. */
export function told(error) {
  if (error.reason && error.remedy) return { reason: said(error.reason), remedy: said(error.remedy) };
  if (error.problem?.title) return refused(error.problem);
  for (const key of [`error.${error.name}.${error.code}`, `error.${error.name}`]) {
    if (knows(key)) return inWords(key, error.names);
  }
  return { reason: say("error.other"), remedy: error.message };
}

/** A number, a moment and a day as the person's language writes them. */
export const inNumbers = (count) => numbers.format(count);
export const moment = (at) => moments.format(new Date(at));
export const day = (on) => days.format(new Date(`${on}T00:00:00Z`));

/** A refusal of the platform, or of one field of what was sent to it. */
function refused(problem) {
  const { code, title, remedy = "", errors = [] } = problem;
  const key = `refused.${code}`;
  if (code === "proof-needed" && knows(key)) return leadToProof(key);
  const [wrong] = errors;
  if (wrong?.reason) return { reason: said(wrong.reason), remedy: said(wrong.remedy ?? "") };
  if (knows(key)) return inWords(key, problem);
  return { reason: said(title), remedy: said(remedy) };
}

/** Shows the link to a fresh proof in another tab, until that one tells of it; what is typed stays. */
function leadToProof(key) {
  const [way, proved] = [document.getElementById("prove-again"), document.getElementById("proved")];
  proved.hidden = true;
  way.hidden = false;
  const channel = new BroadcastChannel("postern.proof");
  channel.onmessage = () => {
    way.hidden = true;
    proved.hidden = false;
    channel.close();
  };
  return { reason: say(key), remedy: say(`${key}.remedy`) };
}

function inWords(key, values = {}) {
  const remedy = `${key}.remedy`;
  return { reason: say(key, values), remedy: knows(remedy) ? say(remedy, values) : "" };
}

/** A sentence of the platform in the page's words, which may know it by %(name)s for its figures. */
function said(sentence) {
  if (knows(sentence)) return words[sentence];
  for (const [pattern, key] of filled) {
    const found = pattern.exec(sentence);
    if (found) return say(key, found.groups);
  }
  return sentence;
}

function expression(sentence) {
  const literal = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const parts = sentence.split(/%\((\w+)\)s/);
  const written = parts.map((part, place) => (place % 2 ? `(?<${part}>.+?)` : literal(part)));
  return new RegExp(`^${written.join("")}$`, "s");
}

function shown(value) {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" ? numbers.format(value) : String(value ?? "");
}
