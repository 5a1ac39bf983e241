// A file of reports: read in the worker, understood under its columns, submitted in batches that can
// be paused and taken up again, its wrong rows given back. The file itself never leaves the page.

import { refuse } from "./at_work.js";
import { openDesk } from "./desk.js";
import { holdersGate } from "./holders.js";
import { keyPanel } from "./key_panel.js";
import { clearSaid, refuseField, rowOf, today, valueOf } from "./report_fields.js";
import { allWords, doubtWords, faultWords, fieldWords } from "./report_said.js";
import { moment, say } from "./say.js";
import { columnRows, faultRows, figuresOf, itemsOf, mappedRows, tallySaid, understoodRows } from "./upload_shown.js";

const BATCH = 50; // rows whose fate is told together
const CASE = "postern.case"; // session storage, of this tab: the reference of the case and nothing else
const NEEDED = ["learned", "legal_basis", "purpose"];
const QUOTA = 429; // the status of a refusal because of a quota
const MOST_SHOWN = 50; // rows that did not go in

const main = document.getElementById("content");
const terms = document.getElementById("terms");
const chooser = document.getElementById("file");
const mapping = document.getElementById("mapping");
const sealed = document.querySelector("[data-sealed]");
const steps = Object.fromEntries([...document.querySelectorAll("[data-step]")].map((each) => [each.dataset.step, each]));

let desk = null;
let panel = null;
let columns = []; // of the file, as they are recognised
let chosen = []; // a field for each column, null where its heading speaks
let rows = 0;
let isClosed = false; // holders of the keys ask for a signature, and the key file is locked
let isRunning = false;
let isWanted = false; // whether the run goes on after the batch in progress
let isLeft = false; // whether rows are left that were not sent

start();

async function start() {
  try {
    desk = await openDesk();
  } catch (error) {
    refuse(main, error);
    return;
  }
  panel = keyPanel(document.querySelector("[data-key-panel]"), desk.premises);
  for (const event of ["unlocked", "locked"]) panel.addEventListener(event, hidePreview);
  field("case").value = sessionStorage.getItem(CASE) ?? "";
  chooser.addEventListener("change", () => chooser.files.length && open(chooser.files[0]));
  steps.file.addEventListener("dragover", (event) => {
    event.preventDefault();
    steps.file.classList.add("is-over");
  });
  steps.file.addEventListener("dragleave", () => steps.file.classList.remove("is-over"));
  steps.file.addEventListener("drop", dropped);
  mapping.addEventListener("change", showColumns);
  terms.addEventListener("input", hidePreview);
  terms.addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });
  document.addEventListener("click", ({ target }) => pressed(target.closest("[data-do]")?.dataset.do));
  window.addEventListener("beforeunload", (event) => {
    if (isLeft) event.preventDefault();
  });
  steps.file.hidden = false;
  if (desk.shared.kinds.length) holdersGate(desk.shared, panel, signatureChanged);
  if (chooser.files.length && !isClosed) open(chooser.files[0]); // chosen before this, or kept by the browser
}

function signatureChanged(isMissing) {
  isClosed = isMissing;
  if (isRunning || !steps.columns.hidden) return; // what is open stays; the worker sends nothing unsigned
  steps.file.hidden = isClosed;
  sealed.hidden = false;
  if (isClosed) sealed.open = true;
}

function pressed(what) {
  if (what === "send") send();
  if (what === "pause") isWanted = false;
  if (what === "continue") send();
  if (what === "errors") takeAway();
  if (what === "another") window.location.reload();
}

function dropped(event) {
  event.preventDefault();
  steps.file.classList.remove("is-over");
  const [file] = event.dataTransfer.files;
  if (file && !isRunning) open(file);
}

async function open(file) {
  for (const name of ["columns", "preview", "sending"]) steps[name].hidden = true;
  showTerms(false);
  main.querySelector("[data-refused]").hidden = true;
  const state = part("file-state");
  state.textContent = say("reading");
  part("reading").hidden = false;
  part("warnings").replaceChildren();
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const found = await desk.premises.ask("sheetOpen", { name: file.name, bytes });
    rows = found.rows;
    columns = found.columns;
    chosen = columns.map(() => null);
    mapping.value = "";
    state.textContent = say(`file.${found.form}`, { name: found.name, rows });
    part("warnings").replaceChildren(...itemsOf(found.warnings.map(({ code, names }) => say(`warning.${code}`, names))));
    await showColumns();
    steps.columns.hidden = false;
    showTerms(true);
    isLeft = true;
    steps.columns.focus();
  } catch (error) {
    state.textContent = "";
    refuse(main, error);
  } finally {
    part("reading").hidden = true;
  }
}

function showTerms(isShown) {
  terms.hidden = sealed.hidden = part("ask").hidden = !isShown;
}

/** The columns, each with what it is read as: as a person chooses, or as an import mapping says. */
async function showColumns() {
  hidePreview();
  for (const note of document.querySelectorAll("[data-mapping-note]")) note.hidden = note.dataset.mappingNote !== mapping.value;
  part("columns-wrong").hidden = true;
  if (mapping.value) {
    const mapped = await desk.premises.ask("sheetMapped", { mapping: mapping.value });
    part("columns").replaceChildren(...mappedRows(mapped));
    const known = mapped.filter((each) => each.field).length;
    part("columns-state").textContent = say("columns.known", { known, all: mapped.length });
    return;
  }
  part("columns").replaceChildren(
    ...columnRows(columns, (place, name) => {
      chosen[place] = name;
      hidePreview();
      sayColumns();
    }),
  );
  sayColumns();
}

/** How many columns are read, and which of them cannot be as they are. */
function sayColumns(twice = []) {
  const selects = [...part("columns").querySelectorAll("select")];
  const known = selects.filter((each) => each.value).length;
  part("columns-state").textContent = say("columns.known", { known, all: selects.length });
  selects.forEach((each, place) => each.toggleAttribute("aria-invalid", twice.includes(place)));
  part("columns-wrong").hidden = true;
}

function hidePreview() {
  if (!isRunning) steps.preview.hidden = true;
}

async function check() {
  clearSaid();
  const missing = [
    ...NEEDED.filter((name) => !valueOf(terms, name)).map((name) => refuseField(name, { reason: say("choose.missing"), remedy: "" })),
    ...(valueOf(terms, "case") ? [] : [refuseField("case", { reason: say("case.missing"), remedy: "" })]),
  ];
  if (missing.length) {
    missing[0].focus();
    return;
  }
  const given = await termsOf();
  if (given === null) return;
  sessionStorage.setItem(CASE, valueOf(terms, "case"));
  const button = document.querySelector('[data-do="read"]');
  button.disabled = true;
  steps.preview.hidden = false;
  part("preview-state").textContent = say("checking");
  try {
    const found = await desk.premises.ask("sheetRead", {
      chosen,
      mapping: mapping.value,
      reading: { ...reading(), terms: given },
    });
    if (found.isUsable) showPreview(found);
    else refuseColumns(found.twice);
  } catch (error) {
    steps.preview.hidden = true;
    refuse(main, error);
  } finally {
    button.disabled = false;
  }
}

/** The terms of every row, read as a row's own would be; null when one of them is wrong. */
async function termsOf() {
  const { faults, terms: found } = await desk.premises.ask("termsRead", { row: rowOf(terms), today: today() });
  if (!faults.length) return found;
  const [first] = faults.map((fault) => refuseField(fault.field, faultWords(fault)));
  first?.focus();
  return null;
}

function refuseColumns(twice) {
  steps.preview.hidden = true;
  if (!mapping.value) sayColumns(twice);
  const wrong = part("columns-wrong");
  wrong.querySelector("p").textContent = say(twice.length ? "columns.twice" : "columns.none");
  wrong.hidden = false;
  const select = part("columns").querySelectorAll("select")[twice[1] ?? 0];
  (select ?? mapping).focus();
}

function showPreview(found) {
  const wrong = found.wrong.count;
  part("preview-state").textContent = found.good ? say("preview.good", { num: found.good }) : say("preview.none");
  part("figures").replaceChildren(
    ...figuresOf([[say("figure.rows"), found.rows], [say("figure.good"), found.good], [say("figure.wrong"), wrong]]),
  );
  part("doubts").replaceChildren(
    ...itemsOf([
      ...found.doubts.map(({ code, field: name, num }) => say(`doubt.${code}`, { field: fieldWords(name), num })),
      ...Object.entries(found.flags).map(([flag, num]) => say("doubt.count", { num, doubt: doubtWords(flag) })),
      ...(found.tally ? tallySaid(found.tally) : []),
    ]),
  );
  part("rows").replaceChildren(...understoodRows(found.preview));
  part("wrong").hidden = !wrong;
  part("wrong-rows").replaceChildren(...faultRows(found.wrong.shown));
  const more = wrong - found.wrong.shown.length;
  part("wrong-more").textContent = more ? say("wrong.more", { num: more }) : "";
  for (const row of document.querySelectorAll("[data-evaluations]")) {
    const needed = found.evaluations[row.dataset.evaluations] ?? 0;
    row.hidden = !needed;
    row.querySelector("[data-needed]").textContent = needed;
    row.querySelector("[data-needed]").classList.toggle("report-short", needed > Number(row.dataset.left));
  }
  part("seal-state").textContent = say(panel.keys ? "sealed.yes" : "sealed.no");
  steps.preview.querySelector('[data-do="send"]').disabled = !found.good;
  steps.preview.querySelector('[data-do="errors"]').hidden = !wrong;
  steps.preview.focus();
}

async function send() {
  if (isRunning) return;
  isRunning = isWanted = true;
  for (const name of ["file", "columns", "preview"]) steps[name].hidden = true;
  showTerms(false);
  steps.sending.hidden = false;
  steps.sending.querySelector("[data-refused]").hidden = true;
  shownButtons({ pause: true });
  if (!steps.sending.contains(document.activeElement)) steps.sending.focus();
  let count = BATCH;
  let done = -1;
  while (isWanted) {
    try {
      const found = await desk.premises.ask("sheetSend", { count, ...given() }, showBatch);
      showSent(found);
      done = found.done;
      count = BATCH;
      if (done >= found.rows) break;
    } catch (error) {
      // A request beyond the quota is refused as a whole: ask for what is left of it.
      if (error.status === QUOTA && count > 1) count = Math.floor(count / 2);
      else {
        stopped(error);
        return;
      }
    }
  }
  isRunning = false;
  isLeft = done < rows;
  part("sent-state").textContent = isLeft ? say("sent.paused", { done: Math.max(done, 0), rows }) : say("sent.all");
  shownButtons({ continue: isLeft, "to-reports": true, another: !isLeft });
  if (!isLeft) steps.sending.focus();
}

function given() {
  return {
    document: desk.document,
    purpose: valueOf(terms, "purpose"),
    caseReference: valueOf(terms, "case"),
    recipients: panel.keys?.recipients ?? null,
  };
}

function showBatch(done, total) {
  part("batch").value = total ? done / total : 1;
}

function showSent({ done, counts, refused }) {
  part("sent").value = rows ? done / rows : 1;
  part("batch").value = 0;
  part("sent-state").textContent = say("sent.some", { done, rows });
  part("counts").replaceChildren(
    ...figuresOf([
      [say("figure.rows"), rows],
      [say("figure.created"), counts.created],
      [say("figure.existing"), counts.existing],
      [say("figure.rejected"), counts.rejected],
      [say("figure.left"), rows - done],
    ]),
  );
  const shown = part("refused-rows");
  const room = MOST_SHOWN - shown.childElementCount;
  if (room > 0) shown.append(...faultRows(refused).slice(0, room));
  part("refused-wrong").hidden = !counts.rejected;
  steps.sending.querySelector('[data-do="errors"]').hidden = !counts.rejected;
}

function stopped(error) {
  isRunning = false;
  const until = error.problem?.resets_at;
  const spent = { reason: say("quota"), remedy: until ? say("quota.until", { at: moment(until) }) : "" };
  const done = Math.round(part("sent").value * rows);
  part("sent-state").textContent = say("sent.stopped", { done, rows });
  shownButtons({ continue: true });
  refuse(steps.sending, error.status === QUOTA ? spent : error);
}

function shownButtons(wanted) {
  for (const name of ["pause", "continue", "another"]) {
    steps.sending.querySelector(`[data-do="${name}"]`).hidden = !wanted[name];
  }
  part("to-reports").hidden = !wanted["to-reports"];
}

/** The wrong rows as a file of the form in which they came, made in the worker. */
async function takeAway() {
  const { name, type, bytes } = await desk.premises.ask("sheetErrors", { words: allWords() });
  const address = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

function reading() {
  return {
    today: today(),
    units: { weight: valueOf(terms, "weight_unit"), currency: valueOf(terms, "currency") },
    operator: valueOf(terms, "induction_operator"),
    country: valueOf(terms, "country"),
    seals: Boolean(panel.keys),
  };
}

function part(name) {
  return document.querySelector(`[data-${name}]`);
}

function field(name) {
  return document.querySelector(`[data-field="${name}"]`);
}
