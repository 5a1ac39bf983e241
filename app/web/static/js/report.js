// One report in a form: checked as it is typed, shown before it is released, sent under one key.
// What is typed stays in this page's memory; the worker pseudonymises it, and only that leaves.

import { refuse } from "./at_work.js";
import { ask, openDesk } from "./desk.js";
import { holdersGate } from "./holders.js";
import { keyPanel } from "./key_panel.js";
import { showAudience } from "./report_audience.js";
import { clearSaid, refuseField, rowOf, sayUnderstood, today, valueOf } from "./report_fields.js";
import { faultWords } from "./report_said.js";
import { inNumbers, say } from "./say.js";

const PAUSE = 350; // milliseconds without a key before a row is read anew
const CASE = "postern.case"; // session storage, of this tab: the reference of the case and nothing else
const NEEDED = ["learned", "legal_basis", "purpose"];

const form = document.getElementById("report");
const preview = document.getElementById("preview");
const result = document.getElementById("result");
const sealed = document.querySelector("[data-sealed]");
const files = document.querySelector("[data-files]");
const main = document.getElementById("content");

let desk = null;
let panel = null;
let key = ""; // of this report, for every attempt at it
let read = null; // what the worker understood of the row that the preview shows
let stored = null; // {id, key, sent}: the report that is in, and how many of its files are
let isClosed = false; // holders of the keys ask for a signature, and the key file is locked
let isTouched = false;
let waiting = 0;
let asked = 0;

start();

async function start() {
  try {
    desk = await openDesk();
    key = await desk.premises.ask("reportKey");
  } catch (error) {
    refuse(main, error);
    return;
  }
  panel = keyPanel(document.querySelector("[data-key-panel]"), desk.premises);
  panel.addEventListener("unlocked", sealingChanged);
  panel.addEventListener("locked", sealingChanged);
  field("case").value = sessionStorage.getItem(CASE) ?? "";
  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    showPreview();
  });
  sealed.addEventListener("input", ({ target }) => target.matches("[data-field], [data-files]") && typed());
  document.addEventListener("click", ({ target }) => pressed(target.closest("[data-do]")?.dataset.do));
  window.addEventListener("beforeunload", (event) => {
    if (isTouched) event.preventDefault(); // nothing of it is kept anywhere else
  });
  showForm(true);
  if (desk.shared.kinds.length) holdersGate(desk.shared, panel, signatureChanged);
}

function showForm(isShown) {
  sealed.hidden = !isShown;
  form.hidden = document.querySelector("[data-ask]").hidden = !isShown || isClosed;
}

function signatureChanged(isMissing) {
  isClosed = isMissing;
  if (isClosed) sealed.open = true;
  showForm(result.hidden);
}

function pressed(what) {
  if (what === "release") release();
  if (what === "back") changeSomething();
  if (what === "again") again();
  if (what === "files") sendFiles();
}

function typed() {
  isTouched = true;
  hidePreview();
  clearTimeout(waiting);
  waiting = setTimeout(check, PAUSE);
}

function hidePreview() {
  preview.hidden = true;
  read = null;
}

function sealingChanged() {
  document.querySelector("[data-sealable]").hidden = !panel.keys;
  hidePreview();
}

async function check() {
  const mine = ++asked;
  const row = rowOf(form, { seals: Boolean(panel.keys) });
  const found = await desk.premises.ask("reportRead", { row, reading: reading() });
  if (mine !== asked) return null; // a later change has asked again
  sayUnderstood(found);
  showAddresses(found.addresses);
  return found;
}

function showAddresses(addresses) {
  for (const list of document.querySelectorAll("[data-address]")) {
    const parts = addresses[list.dataset.address];
    list.hidden = !parts;
    if (!parts) continue;
    const shown = { ...parts, lines: parts.lines.join(", ") };
    for (const part of list.querySelectorAll("[data-part]")) {
      part.textContent = shown[part.dataset.part];
      part.parentElement.hidden = !shown[part.dataset.part];
    }
  }
}

/** Whether everything that is needed stands there; the first that does not has the focus. */
async function complete() {
  clearTimeout(waiting);
  const found = await check();
  if (!found) return null;
  const wrong = [];
  for (const name of NEEDED) {
    if (!valueOf(form, name)) wrong.push(refuseField(name, { reason: say("choose.missing"), remedy: "" }));
  }
  if (!valueOf(form, "case")) wrong.push(refuseField("case", { reason: say("case.missing"), remedy: "" }));
  const file = panel.keys ? wrongFile() : "";
  if (file) wrong.push(refuseField("files", { reason: file, remedy: "" }));
  const whole = found.faults.find(({ field: name }) => name === "row");
  if (whole) {
    refuse(main, faultWords(whole));
    return null;
  }
  const first = form.querySelector("[aria-invalid]") ?? sealed.querySelector("[data-sealable] [aria-invalid]");
  if (wrong.length || found.faults.length || first) {
    first?.focus();
    return null;
  }
  main.querySelector("[data-refused]").hidden = true;
  return found;
}

async function showPreview() {
  read = await complete();
  if (!read) return;
  sessionStorage.setItem(CASE, valueOf(form, "case"));
  const seen = preview.querySelector("[data-seen]");
  seen.replaceChildren(
    ...read.sightings.map(({ kind, role, text }) => {
      const item = document.createElement("li");
      item.textContent = say("seen", { kind: say(`kind.${kind}`), role: say(`role.${role}`), text });
      return item;
    }),
  );
  preview.querySelector("[data-seal-state]").textContent = say(panel.keys ? "sealed.yes" : "sealed.no");
  preview.querySelector("[data-release-state]").textContent = "";
  preview.querySelector("[data-refused]").hidden = true;
  preview.hidden = false;
  preview.focus();
  const release = preview.querySelector('[data-do="release"]');
  release.disabled = true; // nobody releases what they have not seen
  try {
    await showAudience(preview.querySelector("[data-audience]"), read, today());
    release.disabled = false;
  } catch (error) {
    preview.querySelector("[data-audience-state]").textContent = "";
    refuse(preview, error);
  }
}

function changeSomething() {
  hidePreview();
  (form.querySelector("[aria-invalid]") ?? field("sender_name")).focus();
}

async function release() {
  if (!read) return;
  const button = preview.querySelector('[data-do="release"]');
  const progress = preview.querySelector("[data-progress]");
  const state = preview.querySelector("[data-release-state]");
  preview.querySelector("[data-refused]").hidden = true;
  button.disabled = true;
  progress.hidden = false;
  progress.value = 0;
  state.textContent = say("releasing");
  const given = {
    key,
    row: rowOf(form, { seals: Boolean(panel.keys) }),
    reading: reading(),
    document: desk.document,
    purpose: valueOf(form, "purpose"),
    caseReference: valueOf(form, "case"),
    recipients: panel.keys?.recipients ?? null,
  };
  try {
    const answer = await desk.premises.ask("reportSend", given, (done, total) => {
      progress.value = total ? done / total : 1;
    });
    if (answer.status === "rejected") refuseReport(answer.faults);
    else await showResult(answer);
  } catch (error) {
    refuse(preview, error);
  } finally {
    state.textContent = "";
    progress.hidden = true;
    button.disabled = false;
  }
}

/** What the platform found wrong, at its field; what has none stands above. */
function refuseReport(faults) {
  clearSaid();
  const fields = faults.map((fault) => refuseField(fault.field, faultWords(fault)));
  const left = faults.filter((_, place) => fields[place] === null).map(faultWords);
  hidePreview();
  const reason = [say("rejected"), ...left.map((each) => each.reason)].join(" ");
  refuse(main, { reason, remedy: left.map((each) => each.remedy).join(" ") });
}

async function showResult({ status, id, indicators, receipt }) {
  isTouched = false;
  stored = { id, key, sent: 0 };
  showForm(false);
  preview.hidden = true;
  result.querySelector("[data-result]").textContent = say(status === "existing" ? "existing" : "released");
  result.querySelector("[data-report-id]").textContent = id;
  const link = result.querySelector("[data-report-link]");
  link.href = `${link.pathname.replace(/\/reports.*$/, "/reports")}/${encodeURIComponent(id)}`;
  const tags = result.querySelector("[data-tags-link]");
  tags.href = `${tags.pathname.replace(/\/barriers\/.*$/, "/barriers/tags")}/${encodeURIComponent(id)}`;
  result.querySelector("[data-report-indicators]").textContent = say("indicators", { num: indicators.length });
  result.querySelector("[data-receipt]").textContent = receipt ?? "";
  result.hidden = false;
  result.focus();
  if (panel.keys && files.files.length) await sendFiles();
}

async function sendFiles() {
  const chosen = [...files.files];
  const retry = result.querySelector('[data-do="files"]');
  retry.hidden = true;
  result.querySelector("[data-refused]").hidden = true;
  try {
    while (stored.sent < chosen.length) {
      const number = stored.sent + 1;
      result.querySelector("[data-result]").textContent = say("sending-file", { number, all: chosen.length });
      await sendFile(chosen[stored.sent], number);
      stored.sent = number;
    }
    result.querySelector("[data-result]").textContent = say("released");
  } catch (error) {
    retry.hidden = false;
    result.querySelector("[data-result]").textContent = say("files.failed");
    refuse(result, error);
  }
}

async function sendFile(file, number) {
  const content = new Uint8Array(await file.arrayBuffer());
  const media = file.type || "application/octet-stream";
  const envelope = await desk.premises.ask("reportFile", {
    key: stored.key,
    number,
    file: { name: file.name.slice(0, 120), media_type: media.split(";")[0].toLowerCase(), content },
    recipients: panel.keys.recipients,
  });
  await ask("POST", `/api/v1/reports/${stored.id}/attachments?number=${number}`, new Blob([envelope]));
}

/** The next report: what was seen is cleared, why and how it is known stays. */
async function again() {
  for (const element of document.querySelectorAll("[data-field]")) {
    const isKept = element.closest('[aria-labelledby="why"]') || element.defaultValue !== "" || element.dataset.field === "case";
    if (element.tagName === "SELECT" && !isKept) element.value = [...element.options].find((each) => each.defaultSelected)?.value ?? "";
    else if (!isKept) element.value = "";
  }
  for (const box of form.querySelectorAll("[data-code]")) box.checked = false;
  files.value = "";
  key = await desk.premises.ask("reportKey");
  stored = null;
  isTouched = false;
  clearSaid();
  showAddresses({});
  result.hidden = true;
  showForm(true);
  field("sender_name").focus();
}

function wrongFile() {
  const { most, largest } = files.dataset;
  const chosen = [...files.files];
  if (chosen.length > Number(most)) return say("files.most", { most: inNumbers(Number(most)) });
  const large = chosen.find((file) => file.size > Number(largest));
  return large ? say("files.large", { name: large.name }) : "";
}

function reading() {
  return {
    today: today(),
    terms: {},
    units: { weight: "g", currency: "EUR" },
    operator: form.dataset.network,
    country: form.dataset.country,
    seals: Boolean(panel.keys),
  };
}

function field(name) {
  return document.querySelector(`[data-field="${name}"]`);
}
