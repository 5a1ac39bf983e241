// The approver's side of a request: open what is asked and what one's own organisation sealed of it,
// and release all, part or nothing. What is released is sealed here, to the requester alone.

import { atWork, refuse } from "./at_work.js";
import { partItem } from "./opened_parts.js";
import { openRequest, reload } from "./request_desk.js";
import { inNumbers, say } from "./say.js";

const LARGEST = 44_000_000; // bytes of envelopes in one decision, as the platform takes them

const root = document.querySelector("[data-request]");
const opening = document.querySelector("[data-opening]");
const deciding = document.querySelector("[data-deciding]");
const asking = document.querySelector("[data-asking-back]");
const refusing = document.querySelector("[data-refusing]");
const dialog = document.querySelector("[data-release-dialog]");

try {
  const desk = await openRequest(root);
  desk.panel.addEventListener("unlocked", () => open(desk));
  desk.panel.addEventListener("locked", close);
  deciding?.addEventListener("submit", (event) => {
    event.preventDefault();
    propose(desk);
  });
  deciding?.addEventListener("change", checkReason);
  asking?.addEventListener("submit", (event) => {
    event.preventDefault();
    askBack(desk);
  });
  refusing?.addEventListener("submit", (event) => giveNothing(event, desk));
  dialog?.querySelector("[data-release]").addEventListener("click", () => release(desk));
  dialog?.querySelector("[data-not-yet]").addEventListener("click", () => dialog.close());
} catch (error) {
  refuse(opening, error);
}

/** Everything that a person must see before deciding: the messages, and the parts that are asked. */
async function open(desk) {
  await atWork(opening, null, say("decide.opening"), async (tell) => {
    const messages = await desk.openMessages();
    const differs = [...new Set(messages.flatMap((each) => each.differs))];
    if (differs.length) {
      tell("");
      showDifference(differs);
      return; // nothing is decided on what the requester did not sign
    }
    const isSigned = messages.some((each) => each.about);
    const places = desk.request.envelopes.filter(({ part }) => desk.request.asked.includes(part));
    await showParts(desk, places);
    tell(places.length ? say("decide.opened", { num: places.length }) : say("decide.nothing-held"));
    offer(desk, places, isSigned);
  });
}

function showDifference(differs) {
  const told = opening.querySelector("[data-differs]");
  const words = differs.map((name) => say(`differs.${name}`)).join(", ");
  told.querySelector("[data-what]").textContent = words;
  told.hidden = false;
  told.focus();
}

async function showParts(desk, places) {
  const list = opening.querySelector("[data-parts]");
  const released = (root.dataset.released ?? "").split(" ").filter(Boolean);
  for (const place of places) {
    const raw = await desk.bytes("envelopes", place.id);
    const item = partItem(place, await desk.premises.ask("openOwn", { place, raw }));
    if (released.includes(`${place.part}/${place.number}`)) {
      item.querySelector("[data-released]").hidden = false;
    }
    list.append(item);
  }
  opening.querySelector("[data-opened-head]").hidden = !places.length;
}

/** Let the person decide, once everything that can be opened is shown. */
function offer(desk, places, isSigned) {
  if (asking) asking.hidden = false;
  if (refusing) refusing.querySelector("[data-with-words]").hidden = false;
  if (!deciding || !places.length) return;
  const list = deciding.querySelector("[data-choices]");
  list.replaceChildren(...places.map(choice));
  deciding.parentElement.querySelector("[data-until-opened]").hidden = true;
  deciding.querySelector("[data-unsigned]").hidden = isSigned;
  deciding.querySelector("[data-field=unsigned]").checked = false;
  deciding.hidden = false;
  checkReason();
}

function choice({ id, part, number, size }) {
  const item = deciding.querySelector("template").content.cloneNode(true).firstElementChild;
  const box = item.querySelector("input");
  box.id = `give-${id}`;
  box.value = id;
  box.dataset.size = size;
  item.querySelector("label").htmlFor = box.id;
  item.querySelector("[data-name]").textContent = say(`part.${part}`, { number });
  return item;
}

function chosen() {
  return [...deciding.querySelectorAll("[data-choices] input:checked")];
}

/** A reason in words is needed where the word of the list says so. */
function checkReason() {
  const reason = deciding.querySelector("[data-field=reason]").value;
  deciding.querySelector("[data-needs-words]").hidden = reason !== "other";
}

/** Show once more what goes to whom; nothing is sealed before the person says so. */
async function propose(desk) {
  const boxes = chosen();
  const text = deciding.querySelector("[data-field=text]").value.trim();
  const reason = deciding.querySelector("[data-field=reason]").value;
  const unsigned = deciding.querySelector("[data-unsigned]");
  const isUnsure = !unsigned.hidden && !deciding.querySelector("[data-field=unsigned]").checked;
  const size = boxes.reduce((sum, each) => sum + Number(each.dataset.size), 0);
  const faults = [
    [!boxes.length, "decide.nothing-chosen"],
    [!reason, "decide.no-reason"],
    [reason === "other" && !text, "decide.no-words"],
    [isUnsure, "decide.unsigned"],
    [size > LARGEST, "decide.too-much"],
  ];
  const fault = faults.find(([isFault]) => isFault);
  if (fault) {
    refuse(deciding, { reason: say(fault[1]) });
    return;
  }
  deciding.querySelector("[data-refused]").hidden = true;
  try {
    const { fingerprint } = await desk.other();
    dialog.querySelector("[data-fingerprint]").textContent = fingerprint;
  } catch (error) {
    refuse(deciding, error);
    return;
  }
  const names = boxes.map((each) => each.closest("li").querySelector("[data-name]").textContent);
  dialog.querySelector("[data-names]").textContent = names.join(", ");
  dialog.showModal();
}

async function release(desk) {
  const boxes = chosen();
  const isAll = boxes.length === deciding.querySelectorAll("[data-choices] input").length;
  dialog.close();
  await atWork(deciding, deciding.querySelector("[data-propose]"), say("decide.sealing"), async (tell) => {
    const { recipients } = await desk.other();
    const args = { envelopes: boxes.map((each) => each.value), request: desk.request, recipients };
    const parts = await desk.premises.ask("sealAgain", args, (done, total) => {
      tell(say("decide.sealed", { done: inNumbers(done), total: inNumbers(total) }));
    });
    const text = deciding.querySelector("[data-field=text]").value.trim();
    const made = await desk.post("decision", {
      answer: isAll ? "all" : "part",
      reason: deciding.querySelector("[data-field=reason]").value,
      parts,
      ...(text ? await desk.sealed("reason", text) : {}),
    });
    return reload(made.state === "proposed" ? "proposed" : "released");
  });
}

async function askBack(desk) {
  const text = asking.querySelector("[data-field=question]").value.trim();
  await atWork(asking, asking.querySelector("button"), say("decide.sealing"), async () => {
    await desk.post("question", await desk.sealed("question", text));
    return reload("questioned");
  });
}

/** With words it is sealed here; without them the form goes to the server as it is. */
async function giveNothing(event, desk) {
  const text = refusing.querySelector("[data-field=refusal]").value.trim();
  const reason = refusing.querySelector("input[name=reason]:checked")?.value;
  if (!desk.panel.keys || (!text && reason !== "other")) return;
  event.preventDefault();
  if (!text) {
    refuse(refusing, { reason: say("decide.no-words") });
    return;
  }
  await atWork(refusing, event.submitter, say("decide.sealing"), async () => {
    await desk.post("decision", { answer: "nothing", reason, ...(await desk.sealed("reason", text)) });
    return reload("refused");
  });
}

/** What was opened is not shown any longer than the keys are unlocked. */
function close() {
  location.reload();
}
