// Who will see a report that is not yet stored: asked of the platform by what policies may know of
// it (kind, role, grades, markings, step, substance, age), which holds nothing that names anybody.

import { ask } from "./desk.js";
import { say } from "./say.js";

const AUDIENCE = "/api/v1/policies/audience";
const LAST_DAYS = [6, 29, 89, 364]; // of each band of age but the last

/**
 * Show in `place` who will see the indicators of a row as the worker read it; `today` is an ISO day.
 * Throws what the platform refuses.
 */
export async function showAudience(place, read, today) {
  const state = place.querySelector("[data-audience-state]");
  const blocks = place.querySelector("[data-audiences]");
  state.textContent = say("audience.asking");
  blocks.replaceChildren();
  const classes = classesOf(read, today);
  const answers = await Promise.all(classes.map((each) => ask("POST", AUDIENCE, each)));
  const grouped = new Map(); // indicators that the same organisations see in the same way
  answers.forEach((answer, at) => {
    const key = JSON.stringify(answer.in_force.audiences);
    if (!grouped.has(key)) grouped.set(key, { answer, of: [] });
    grouped.get(key).of.push(classes[at]);
  });
  for (const group of grouped.values()) blocks.append(blockOf(group));
  const readers = new Set(
    answers.flatMap(({ in_force: { audiences } }) => audiences.flatMap((each) => each.organisations.map(({ code }) => code))),
  );
  state.textContent = readers.size ? say("audience.done", { num: readers.size }) : say("audience.nobody");
}

/** The distinct classes of a row's indicators, as policies know them. */
function classesOf({ sightings, shipment, terms }, today) {
  const common = {
    tlp: terms.tlp ?? "AMBER",
    handling: terms.handling,
    source_grade: terms.source_grade ?? "X",
    information_grade: terms.information_grade ?? "4",
    assertion: terms.assertion ?? "assessment",
    permitted_action: terms.permitted_action ?? "know",
    barrier_step: terms.barrier_step ?? 0,
    substance: shipment.substance ?? "unknown",
    age_band: bandOf(terms.observed_to ?? terms.observed_from ?? today, today),
  };
  const distinct = new Map(sightings.map(({ kind, role }) => [`${kind}/${role}`, { kind, role, ...common }]));
  return [...distinct.values()];
}

function bandOf(seen, today) {
  const days = Math.max(0, Math.round((Date.parse(today) - Date.parse(seen)) / 86_400_000));
  const band = LAST_DAYS.findIndex((last) => days <= last);
  return band < 0 ? LAST_DAYS.length : band;
}

function blockOf({ answer, of }) {
  const block = document.querySelector("[data-audience-block]").content.cloneNode(true);
  const { audiences } = answer.in_force;
  block.querySelector("[data-of]").textContent = of
    .map(({ kind, role }) => say("audience.of", { kind: say(`kind.${kind}`), role: say(`role.${role}`) }))
    .join("; ");
  block.querySelector("[data-nobody]").hidden = audiences.length > 0;
  block.querySelector("[data-some]").hidden = audiences.length === 0;
  const changes = answer.scheduled !== null || audiences.some((each) => each.periods.length > 1);
  const later = block.querySelector("[data-later]");
  later.hidden = !changes;
  later.textContent = changes ? say("audience.later") : "";
  block.querySelector("[data-rows]").append(...audiences.map(rowOf));
  return block;
}

function rowOf({ organisations, purposes, periods }) {
  const row = document.createElement("tr");
  const who = document.createElement("th");
  who.scope = "row";
  who.textContent = organisations.map(({ name }) => name).join(", ");
  const [what, why] = [accessWords(periods[0].access), purposes.map((each) => say(`purpose.${each}`)).join(", ")];
  row.append(who, cellOf(what), cellOf(why));
  return row;
}

function accessWords({ level, may_screen: screens, may_feed: feeds, told }) {
  const parts = [
    level ? say(`level.${level}`) : "",
    screens ? say("audience.screen") : "",
    feeds ? say("audience.feed") : "",
    told && told !== "both" ? say(`told.${told}`) : "",
  ];
  return parts.filter(Boolean).join("; ");
}

function cellOf(text) {
  const cell = document.createElement("td");
  cell.textContent = text;
  return cell;
}
