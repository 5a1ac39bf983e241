// The requester's side of a request: open what was released, derive its token again, give the receipt;
// and answer the owner's question.

import { atWork, refuse, sessionCase } from "./at_work.js";
import { partItem } from "./opened_parts.js";
import { openRequest, reload } from "./request_desk.js";
import { say } from "./say.js";

const root = document.querySelector("[data-request]");
const opening = document.querySelector("[data-opening]");
const receiving = document.querySelector("[data-receiving]");
const answering = document.querySelector("[data-answering]");

let messages = []; // opened

try {
  const desk = await openRequest(root);
  desk.panel.addEventListener("unlocked", () => open(desk));
  desk.panel.addEventListener("locked", () => location.reload());
  receiving?.addEventListener("submit", (event) => {
    event.preventDefault();
    receive(desk);
  });
  answering?.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(desk);
  });
} catch (error) {
  refuse(opening, error);
}

async function open(desk) {
  await atWork(opening, null, say("receive.opening"), async (tell) => {
    messages = await desk.openMessages();
    tell(messages.length ? say("receive.messages") : "");
    if (answering) answering.hidden = false;
    if (!receiving) return;
    const known = messages.find((each) => each.about)?.about.case;
    receiving.querySelector("[data-case-unknown]").hidden = Boolean(known);
    receiving.querySelector("[data-field=case]").value = known ?? sessionCase();
    receiving.hidden = false;
  });
}

/** Fetch, open, compare and prove each part; the first that is not what it must be stops it. */
async function receive(desk) {
  const caseReference = receiving.querySelector("[data-field=case]").value.trim();
  if (!caseReference) {
    refuse(receiving, { reason: say("receive.no-case") });
    return;
  }
  const button = receiving.querySelector("button");
  const list = receiving.querySelector("[data-parts]");
  const isDone = await atWork(receiving, button, say("receive.fetching"), async (tell) => {
    const { request, keys } = desk;
    const { signers } = await desk.other();
    list.replaceChildren();
    let isAnother = false;
    for (const place of request.deliveries.filter((each) => each.available && !each.erased)) {
      const raw = await desk.bytes("deliveries", place.id);
      const args = { place, raw, request, signers, document: keys, caseReference };
      const { content, receipt } = await desk.premises.ask("receive", args);
      if (place.received_at === null) await desk.post(`deliveries/${place.id}/receipt`, receipt);
      const item = partItem(place, content);
      if (content.fields) showCheck(item, receipt.check);
      isAnother ||= receipt.check === "differs";
      list.append(item);
      document.querySelector(`[data-delivery="${place.id}"]`).textContent = say("receive.opened");
    }
    tell(isAnother ? say("receive.stop") : say("receive.done"));
  });
  if (!isDone) return;
  button.hidden = true;
  receiving.querySelector("[data-case-unknown]").hidden = true;
}

function showCheck(item, check) {
  item.querySelector(`[data-check="${check}"]`).hidden = false;
  if (check === "differs") item.querySelector("[data-copy]").hidden = true; // not to be acted on
}

async function answer(desk) {
  const text = answering.querySelector("[data-field=answer]").value.trim();
  await atWork(answering, answering.querySelector("button"), say("receive.sealing"), async () => {
    await desk.post("answer", await desk.sealed("answer", text));
    return reload("answered");
  });
}
