// The fields of a page of reports: what is typed as a row, as a file would have it, and what is said
// of each field beneath it.

import { day, say } from "./say.js";
import { doubtWords, faultWords } from "./report_said.js";

const NOT_OF_THE_ROW = new Set(["purpose", "case", "source", "information", "note"]);

/** The row of what is typed: field to text, empty ones left out. */
export function rowOf(place, { seals = false } = {}) {
  const row = {};
  for (const element of place.querySelectorAll("[data-field]")) {
    const { field } = element.dataset;
    const text = element.value.trim();
    if (text && !NOT_OF_THE_ROW.has(field)) row[field] = text;
  }
  if (!row.induction_point) {
    delete row.induction_operator;
    delete row.induction_country;
  }
  const [source, information] = [valueOf(place, "source"), valueOf(place, "information")];
  if (source || information) row.grade = `${source || "X"}${information || "4"}`;
  const codes = [...place.querySelectorAll("[data-code]:checked")].map((each) => each.dataset.code);
  if (codes.length) row.handling = codes.join(",");
  const note = document.getElementById("f-note")?.value.trim();
  if (seals && note) row.note = note;
  return row;
}

/** What stands in a field, without space around it. */
export function valueOf(place, field) {
  return place.querySelector(`[data-field="${field}"]`)?.value.trim() ?? "";
}

/** Say what was understood of each field; those that nobody filled in say nothing. */
export function sayUnderstood(read) {
  clearSaid();
  for (const { source, text, doubts } of read.sightings) {
    tell(source, [say("understood", { text }), ...doubts.map(doubtWords)].join("; "));
  }
  if (read.shipment.weight_band) tell("gross_weight", say("band.weight", { band: read.shipment.weight_band }));
  if (read.shipment.value_band) tell("total_value", say("band.value", { band: read.shipment.value_band }));
  for (const flag of read.flags) tell(fieldOf(flag), doubtWords(flag));
  if (read.terms?.expires_on) tell("expires_in", day(read.terms.expires_on));
  for (const fault of read.faults) {
    if (fault.field !== "row") refuseField(fault.field, faultWords(fault));
    else if (fault.names.column) tell(fault.names.column, doubtWords(`${fault.names.column}_holds_too_little`));
  }
}

/** Mark a field as wrong and say why; null when the page has no such field. */
export function refuseField(field, { reason, remedy }) {
  const [name] = field.split(" ");
  const known = name === "grade" ? "source" : name;
  const said = document.querySelector(`[data-said-of="${known}"]`);
  if (!said) return null;
  said.textContent = `${reason} ${remedy}`;
  said.classList.add("field-error");
  const place = said.closest("[data-for]");
  place.classList.add("field-wrong");
  for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  const element = place.querySelector("[data-field], input, select, textarea");
  element?.setAttribute("aria-invalid", "true");
  return element;
}

/** Take back what was said of every field. */
export function clearSaid() {
  for (const said of document.querySelectorAll("[data-said-of]")) {
    said.textContent = "";
    said.classList.remove("field-error");
  }
  for (const wrong of document.querySelectorAll(".field-wrong")) wrong.classList.remove("field-wrong");
  for (const wrong of document.querySelectorAll("[aria-invalid]")) wrong.removeAttribute("aria-invalid");
}

/** The day of today as the platform counts it. */
export function today() {
  return new Date().toISOString().slice(0, 10);
}

function fieldOf(flag) {
  if (flag.startsWith("weight")) return "gross_weight";
  if (flag.startsWith("value")) return "total_value";
  if (flag.startsWith("hs")) return "hs";
  return flag.replace(/_(?:holds_too_little|unknown)$/, "");
}

function tell(field, words) {
  const said = document.querySelector(`[data-said-of="${field}"]`);
  if (said) said.textContent = said.textContent ? `${said.textContent}; ${words}` : words;
}
