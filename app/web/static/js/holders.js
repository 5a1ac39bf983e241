// Where the platform's keys are shared among holders, who evaluate only what the organisation signed:
// what a page says of that before anything is typed, and of holders whose parts are not proved.
// The markup is that of templates/holders.html.

import { say } from "./say.js";

/**
 * Tell what is needed while the key `panel` is locked; `shared` is the desk's. `onChange(isClosed)`
 * is called now and whenever the panel is opened or locked: closed, nothing here can be evaluated.
 */
export function holdersGate(shared, panel, onChange) {
  const place = document.querySelector("[data-holders]");
  const part = (name) => place.querySelector(`[data-part="${name}"]`);
  const kinds = inList(shared.kinds.map((kind) => say(`holders.kind.${kind}`)));
  const holders = inList(shared.holders);
  const isAll = shared.others.length === 0;
  part("why").textContent = say(isAll ? "holders.why" : "holders.why-some", { holders, kinds });
  part("signing").textContent = say("holders.signing", { holders });
  const show = () => {
    const isOpen = Boolean(panel.keys);
    part("needed").hidden = isOpen;
    part("signing").hidden = !isOpen;
    onChange(isAll && !isOpen);
  };
  for (const event of ["unlocked", "locked"]) panel.addEventListener(event, show);
  place.hidden = false;
  show();
}

/** Name on the page, once each, the holders whose parts the worker did not use. */
export function tellCheating(premises) {
  const place = document.querySelector("[data-cheating]");
  if (!place) return;
  const named = new Set();
  premises.addEventListener("cheating", ({ detail }) => {
    const before = named.size;
    for (const name of detail) named.add(name);
    if (named.size === before) return;
    place.querySelector("strong").textContent = say("holders.cheating", { num: named.size, holders: inList([...named]) });
    place.hidden = false;
  });
}

function inList(words) {
  return words.join(", ");
}
