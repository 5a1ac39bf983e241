// The form of a disclosure request: the message is sealed here to the owner's keys and to one's own.

import { atWork, refuse, sessionCase } from "./at_work.js";
import { ask, openDesk } from "./desk.js";
import { keyPanel } from "./key_panel.js";
import { say } from "./say.js";

const form = document.querySelector("[data-ask]");
const field = (name) => form.querySelector(`[data-field="${name}"]`);
const wrong = (name) => form.querySelector(`[data-wrong-of="${name}"]`);

const button = form.querySelector("[data-send]");
button.disabled = true; // until the desk is open: sent before, the form would only begin anew
form.hidden = false;
field("case").value = sessionCase();
const { lookup, indicator, owner, ownerName } = form.dataset;

try {
  const { premises } = await openDesk();
  const panel = keyPanel(document.querySelector("[data-key-panel]"), premises);
  form.addEventListener("change", showLife);
  form.addEventListener("input", () => {
    form.querySelector("[data-said]").textContent = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(panel, premises);
  });
  button.disabled = false;
} catch (error) {
  refuse(form, error);
}
showLife();

function showLife() {
  form.querySelector("[data-life]").hidden = urgency() !== "life";
}

function urgency() {
  return form.querySelector("[data-urgency]:checked")?.value ?? "";
}

function parts() {
  return [...form.querySelectorAll("[data-part-asked]:checked")].map((each) => each.value);
}

async function send(panel, premises) {
  if (!isComplete()) return;
  if (!panel.keys) {
    refuse(form, { reason: say("ask.locked") });
    return;
  }
  const about = {
    case: field("case").value.trim(),
    indicator,
    urgency: urgency(),
    asked: parts(),
    action: field("action").value,
  };
  await atWork(form, form.querySelector("[data-send]"), say("ask.sealing"), async () => {
    const { recipients } = await panel.other(owner, ownerName);
    const text = field("text").value.trim();
    const message = { owner, kind: "ask", text, about, request: null, recipients };
    const sealed = await premises.ask("writeMessage", message);
    const made = await ask("POST", "/api/v1/disclosures", { lookup, ...about, ...sealed });
    location.assign(`/disclosures/${made.id}?done=asked`);
    return true;
  });
}

/** Whether nothing is missing; the first field that lacks something gets the focus. */
function isComplete() {
  const isLife = urgency() === "life";
  const missing = new Map([
    ["case", !field("case").value.trim() && field("case")],
    ["parts", !parts().length && form.querySelector("[data-part-asked]")],
    ["urgency", !urgency() && form.querySelector("[data-urgency]")],
    ["text", isLife && !field("text").value.trim() && field("text")],
    ["life", isLife && !field("life").checked && field("life")],
  ]);
  for (const [name, place] of missing) {
    wrong(name).hidden = !place;
    field(name)?.setAttribute("aria-invalid", String(Boolean(place)));
  }
  const first = [...missing.values()].find(Boolean);
  if (first) {
    form.querySelector("[data-refused]").hidden = true;
    form.querySelector("[data-said]").textContent = say("ask.wrong");
    first.focus();
  }
  return !first;
}
