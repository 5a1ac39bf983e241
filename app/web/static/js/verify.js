// Verifies the log in this browser: the worker fetches and computes, this page tells what was found.

import { Premises, formToken } from "/static/modules/premises.js";
import { dropReceipts, forget, keepReceipt, keepSeen, receipts, seen } from "./log_seen.js";
import { inNumbers, moment, say, told } from "./say.js";

const RECEIPT = "Postern-Receipt";

const area = document.getElementById("verify-area");
const form = document.getElementById("verify");
const part = (name) => document.getElementById(`verify-${name}`);
const premises = new Premises();
const PAUSE = 100; // milliseconds between two changes of the bar
let drawn = 0;
let tenthTold = -1; // the last tenth that was told
let evidence = null; // two signed checkpoints that cannot both be true

form.addEventListener("submit", verify);
part("stop").addEventListener("click", () => premises.ask("stopLog"));
part("forget").addEventListener("click", forgetAll);
part("copy").addEventListener("click", copy);
part("accuse").addEventListener("click", accuse);
part("keep").addEventListener("click", save);
showSeen();
area.hidden = false;

async function verify(event) {
  event.preventDefault();
  busy(true);
  const typed = form.elements.receipts.value.split(/\s+/).filter(Boolean);
  const asked = {
    held: seen(),
    receipts: [...new Set([...receipts(), ...typed])],
    isFull: form.elements.full.checked || typed.length > 0,
  };
  try {
    const answer = await premises.ask("verifyLog", asked, progress);
    await show(answer, asked);
  } catch (error) {
    fail(error);
  }
  busy(false);
}

async function show(answer, asked) {
  const found = verdict(answer.findings);
  part("findings").replaceChildren(...answer.findings.map((each) => line(each, answer.witnesses)));
  part("all").textContent = say(`all.${found}`);
  part("result").className = `notice ${{ whole: "notice-good", "not-whole": "notice-alarm" }[found] ?? ""}`;
  part("result").hidden = false;
  evidence = answer.evidence ?? null;
  part("alarm").hidden = found !== "not-whole";
  part("accuse").hidden = evidence === null;
  part("told").textContent = "";
  part("all").focus();
  if (answer.seen && found !== "not-whole") {
    keepSeen(answer.seen);
    dropReceipts(answer.proven ?? []);
  } else if (found === "not-whole") {
    evidence ??= { before: asked.held?.note ?? "", now: JSON.stringify(answer.findings) };
  }
  if (answer.head) await tell(found, answer.head.size);
  showSeen();
}

// A finding as a line: a word for how it is, and a sentence.
function line(finding, witnesses) {
  const made = part("finding").content.cloneNode(true);
  const [word, words] = ["badge", "words"].map((name) => made.querySelector(`[data-${name}]`));
  word.textContent = say(`status.${finding.status}`);
  word.classList.toggle("badge-good", finding.status === "good");
  word.classList.toggle("badge-alarm", finding.status === "bad");
  words.textContent = say(["found", finding.check, finding.code].filter(Boolean).join("."), {
    ...finding,
    total: finding.num,
    at: finding.at ? moment(finding.at * 1000) : "",
    who: (witnesses ?? []).map((each) => each.name).join(", "),
  });
  return made;
}

function verdict(findings) {
  if (findings.some((each) => each.status === "bad")) return "not-whole";
  const isOpen = findings.some((each) => each.status === "open" && each.code !== "first");
  return isOpen ? "untold" : "whole";
}

// The access log keeps that it was verified; its receipt is looked for the next time.
async function tell(found, size) {
  const body = new URLSearchParams({ csrf_token: formToken(), found, size });
  const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
  const receipt = answer?.ok ? answer.headers.get(RECEIPT) : null;
  if (receipt) keepReceipt(receipt);
  part("told").textContent = say(receipt ? "kept" : "not-kept");
}

async function accuse() {
  const notes = [evidence.before, evidence.now].filter(Boolean);
  const answer = await fetch("/audit/log/witness/alarm", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRFToken": formToken(),
    },
    body: JSON.stringify({ notes }),
  }).catch(() => null);
  const problem = answer?.ok ? null : await answer?.json().catch(() => null);
  part("told").textContent = answer?.ok
    ? say("alarm")
    : [problem?.title, problem?.detail].filter(Boolean).join(". ") || say("error.LogError");
}

function save() {
  const content = JSON.stringify({ ...evidence, at: new Date().toISOString() }, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  link.download = "postern-log-evidence.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

async function copy() {
  await navigator.clipboard.writeText(part("command").textContent);
  part("copied").textContent = say("copied");
}

function forgetAll() {
  forget();
  showSeen();
  part("copied").textContent = say("forgotten");
}

function showSeen() {
  const known = seen();
  part("seen").textContent = known
    ? say("seen", { num: known.size, at: moment(known.at * 1000) })
    : say("seen.never");
  part("forget").hidden = !known;
}

// The bar follows closely; the words, which are read out, change by tenths.
function progress(done, total) {
  const now = performance.now();
  if (now - drawn < PAUSE && done < total) return;
  drawn = now;
  part("bar").max = total;
  part("bar").value = done;
  const tenth = Math.floor((10 * done) / total);
  if (tenth === tenthTold) return;
  tenthTold = tenth;
  part("progress").textContent = say("progress", { done: inNumbers(done), total: inNumbers(total) });
}

function busy(isBusy) {
  tenthTold = -1;
  part("do").disabled = isBusy;
  part("stop").hidden = part("running").hidden = !isBusy;
  part("bar").removeAttribute("value");
  part("progress").textContent = isBusy ? say("working") : "";
  if (isBusy) {
    part("result").hidden = part("alarm").hidden = true;
    part("findings").replaceChildren();
  }
}

function fail(error) {
  const { reason, remedy } = told(error);
  part("all").textContent = `${reason} ${remedy}`;
  part("result").className = "notice";
  part("result").hidden = false;
  part("all").focus();
}
