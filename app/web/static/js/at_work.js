// One piece of work of a form or section: its button rests, what happens is told, a refusal is shown.

import { told } from "./say.js";

/**
 * Whether `task` was done; an error is told within `place`, where [data-refused] stands. A task that
 * gives true leaves the page: its button rests until then, so that nothing is sent twice.
 */
export async function atWork(place, button, words, task) {
  const refused = place.querySelector("[data-refused]");
  const said = place.querySelector("[data-said]");
  refused.hidden = true;
  said.textContent = words;
  if (button) button.disabled = true;
  let isLeaving = false;
  try {
    isLeaving = (await task((later) => {
      said.textContent = later;
    })) === true;
    return true;
  } catch (error) {
    said.textContent = "";
    refuse(place, error);
    return false;
  } finally {
    if (button) button.disabled = isLeaving;
  }
}

/** Show a refusal {reason, remedy}, or what an error tells. */
export function refuse(place, error) {
  const { reason, remedy } = error instanceof Error ? told(error) : error;
  const refused = place.querySelector("[data-refused]");
  refused.querySelector("[data-reason]").textContent = reason;
  refused.querySelector("[data-remedy]").textContent = remedy ?? "";
  refused.hidden = false;
  refused.focus();
}

/** The case of this session's work, as the search keeps it: in this tab alone. */
export function sessionCase() {
  return sessionStorage.getItem("postern.case") ?? "";
}
