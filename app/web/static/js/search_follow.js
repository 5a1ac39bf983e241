// From an answer on: watch for the value, tell an outcome, and list what else a report names.

import { atWork, refuse } from "./at_work.js";
import { ask } from "./desk.js";
import { day, say } from "./say.js";
import { refusalOf } from "./search_asking.js";
import { draw } from "./search_figures.js";
import { at, fieldOf, fresh, made } from "./search_parts.js";

const STEPS = ["asked", "located", "held", "examined"];
const QUANTITY = /^[0-9]+(?:[.,][0-9]{1,3})?$/;

let shown = null; // the answer on the page
const beside = new Map(); // an indicator's id -> what else its report names

at("search-watch-it").addEventListener("click", () => openWatch());
at("search-owners").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  const sheet = button?.closest(".search-hit");
  if (!sheet) return;
  if (button.dataset.do === "outcome") openOutcome(sheet, button);
  if (button.dataset.do === "beside") listBeside(sheet, button);
});

/** The buttons of the page are about this answer from now on. */
export function followUp(about) {
  shown = about;
  beside.clear();
  close(at("search-watch-form"), at("search-watch-it"));
}

function openWatch() {
  const place = at("search-watch-form");
  if (place.firstElementChild) return close(place, at("search-watch-it"));
  const form = opened("search-watch", place, at("search-watch-it"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setWatch(form, place);
  });
}

async function setWatch(form, place) {
  const until = fieldOf(form, "watch-until");
  if (!until.value || !until.checkValidity()) {
    const last = day(until.max);
    refuse(form, { reason: say("search.watch_wrong", { day: last }), remedy: say("search.watch_wrong.remedy") });
    return;
  }
  const { id: _, ...wanted } = shown.query;
  const watch = {
    ...shown.grounds,
    ...wanted,
    tells: fieldOf(form, "watch-tells").value,
    deconflicts: fieldOf(form, "watch-deconflicts").checked,
    expires_on: until.value,
  };
  const made = await sent(form, "/api/v1/watches", watch);
  if (made) finish(place, at("search-watch-it"), say("search.watch_set", { day: day(made.expires_on) }));
}

function openOutcome(sheet, button) {
  const place = sheet.querySelector("[data-form]");
  if (place.querySelector("form")) return close(place, button);
  const form = opened("search-outcome", place, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    tellOutcome(form, sheet, button);
  });
}

async function tellOutcome(form, sheet, button) {
  const chosen = (name) => fieldOf(form, `outcome-${name}`).value.trim();
  if (["result", ...STEPS].some((name) => !chosen(name))) {
    refuse(form, { reason: say("search.outcome_wrong"), remedy: say("search.outcome_wrong.remedy") });
    return;
  }
  const quantity = chosen("quantity");
  const isNumber = QUANTITY.test(quantity) && Number(quantity.replace(",", ".")) > 0;
  if (quantity ? !isNumber || !chosen("unit") : chosen("unit")) {
    refuse(form, { reason: say("search.quantity_wrong"), remedy: say("search.quantity_wrong.remedy") });
    return;
  }
  const outcome = {
    indicator: sheet.hit.indicator.id,
    case: shown.grounds.case,
    result: chosen("result"),
    ...Object.fromEntries(STEPS.map((step) => [step, chosen(step)])),
    ...(chosen("substance") ? { substance: chosen("substance") } : {}),
    ...(quantity ? { quantity: quantity.replace(",", "."), unit: chosen("unit") } : {}),
  };
  if (await sent(form, "/api/v1/outcomes", outcome)) {
    finish(sheet.querySelector("[data-form]"), button, say("search.outcome_told"));
  }
}

/** What a POST answered, or null when it was refused, which the form then tells. */
async function sent(form, address, body) {
  let answer = null;
  await atWork(form, form.querySelector(".btn-primary"), "", async () => {
    try {
      answer = await ask("POST", address, body);
    } catch (error) {
      throw Object.assign(new Error(error.message), refusalOf(error));
    }
  });
  return answer;
}

async function listBeside(sheet, button) {
  const told = sheet.querySelector("[data-beside]");
  const { id } = sheet.hit.indicator;
  button.disabled = true;
  try {
    const found = await ask("GET", `/api/v1/indicators/${id}/beside?${new URLSearchParams(shown.grounds)}`);
    beside.set(id, found.indicators);
    draw(shown, beside);
    const num = found.indicators.length;
    told.replaceChildren(made("p", num ? say("search.beside", { num }) : say("search.nothing_beside"), "note mt-2"));
  } catch (error) {
    const { reason, remedy } = refusalOf(error);
    told.replaceChildren(made("p", `${reason} ${remedy}`, "note mt-2"));
    button.disabled = false;
  }
}

function opened(template, place, button) {
  const form = fresh(template);
  place.replaceChildren(form);
  button.setAttribute("aria-expanded", "true");
  form.querySelector("[data-do=close]").addEventListener("click", () => {
    close(place, button);
    button.focus();
  });
  form.querySelector("[tabindex='-1']").focus();
  return form;
}

function close(place, button) {
  place.replaceChildren();
  button.setAttribute("aria-expanded", "false");
}

function finish(place, button, words) {
  const told = made("p", words, "notice notice-good mt-3");
  told.setAttribute("role", "status");
  told.tabIndex = -1;
  close(place, button);
  place.replaceChildren(told);
  told.focus();
}
