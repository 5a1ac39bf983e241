// The page of search: a box, why it is asked, and the answers. Values stay in this browser; the
// worker turns them into pseudonyms, and those alone are asked for.

import { atWork, refuse } from "./at_work.js";
import { openDesk } from "./desk.js";
import { holdersGate } from "./holders.js";
import { keyPanel } from "./key_panel.js";
import { say, told } from "./say.js";
import { Asking, refusalOf } from "./search_asking.js";
import { Grounds } from "./search_grounds.js";
import { show } from "./search_hits.js";
import { PastedList } from "./search_list.js";
import { at } from "./search_parts.js";
import { TypedValue } from "./search_value.js";

const page = at("search");
const { dataset } = page;
const mostLines = Number(dataset.mostLines);
const form = at("search-form");
const box = at("search-text");
const go = at("search-go");
const PAUSE = 250; // milliseconds without a key before a list is read

let asking = null;
let value = null;
let list = null;
let grounds = null;
let wanted = false; // a search was asked for before its grounds were given
let unread = true; // lines were typed that the list has not read
let busy = false;
let waiting = 0;

await begin();

async function begin() {
  const place = at("search-begin");
  place.querySelector("[data-said]").textContent = say("search.begins");
  try {
    asking = new Asking(await openDesk(), Number(dataset.mostQueries));
  } catch (error) {
    place.querySelector("[data-said]").textContent = "";
    refuse(place, told(error));
    return;
  }
  place.hidden = true;
  value = new TypedValue(asking.premises, dataset.country);
  list = new PastedList(asking, dataset.country, show);
  page.hidden = false;
  signFirst();
  grounds = new Grounds(dataset.person, () => (wanted ? lookUp() : box.focus()));
  box.addEventListener("input", typed);
  box.addEventListener("keydown", entered);
  at("search-shape").addEventListener("change", typed);
  at("search-clear").addEventListener("click", clear);
  at("search-go-on").addEventListener("click", () => lookUp());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    lookUp();
  });
  if (box.value) typed(); // the browser kept it over a reload
}

/** Where holders ask for the organisation's signature, its key file is opened before anything else. */
function signFirst() {
  const { premises, shared } = asking.desk;
  if (!shared.kinds.length) return;
  const panel = keyPanel(at("search-keys").querySelector("[data-key-panel]"), premises);
  at("search-keys").hidden = false;
  holdersGate(shared, panel, (isClosed) => {
    form.hidden = at("search-why-section").hidden = isClosed;
  });
}

function lines() {
  return box.value.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean);
}

function isList() {
  return lines().length > 1 && at("search-shape-list").checked;
}

function typed() {
  const texts = lines();
  at("search-shape").hidden = texts.length < 2;
  box.rows = Math.min(Math.max(texts.length, 2), 8);
  clearTimeout(waiting);
  if (!isList()) {
    at("search-list").hidden = true;
    at("search-rejected").hidden = true;
    value.type(box.value);
    return;
  }
  at("search-value").hidden = true;
  unread = true;
  waiting = setTimeout(() => readList().catch((error) => refuse(form, error)), PAUSE);
}

async function readList() {
  const texts = lines();
  if (texts.length > mostLines) {
    const counts = { most: mostLines, lines: texts.length };
    throw Object.assign(new Error("too many"), {
      reason: say("search.too_many", counts),
      remedy: say("search.too_many.remedy"),
    });
  }
  unread = !(await list.read(texts));
  form.querySelector("[data-refused]").hidden = true;
}

/** Enter searches a single line; a list is searched by the button, or by Control and Enter. */
function entered(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (lines().length > 1 && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  form.requestSubmit();
}

async function lookUp() {
  if (!grounds.given) {
    wanted = true;
    grounds.ask();
    return;
  }
  if (busy) return;
  busy = true;
  wanted = false;
  await atWork(form, go, "", async (tell) => {
    try {
      await (isList() ? lookUpList(tell) : lookUpOne(tell));
      at("search-recent").hidden = true; // it knows nothing of this search yet
      tell("");
    } catch (error) {
      throw Object.assign(new Error(error.message ?? ""), refusalOf(error));
    } finally {
      at("search-progress").hidden = true;
    }
  });
  busy = false;
}

async function lookUpOne(tell) {
  const why = grounds.given;
  // What another value found must not be read as the answer to this one.
  for (const id of ["search-result", "search-answers"]) at(id).hidden = true;
  const entry = await value.current(box.value);
  await asking.lookUp([entry], why, {
    onStep: stepper(tell),
    onSome({ answer, queries }) {
      const { lookup, asked_at } = answer;
      show({ ...answer.results[0], lookup, asked_at, entry, query: queries[0], grounds: why });
    },
  });
}

async function lookUpList(tell) {
  clearTimeout(waiting);
  if (unread || !list.waiting.length) await readList();
  at("search-result").hidden = true;
  await list.lookUp(grounds.given, stepper(tell));
  at("search-answers-title").focus();
}

function stepper(tell) {
  at("search-progress").hidden = false;
  return (step, share) => {
    tell(say(`search.${step}`));
    at("search-bar").value = share;
  };
}

function clear() {
  box.value = "";
  typed();
  for (const id of ["search-answers", "search-result", "search-list"]) at(id).hidden = true;
  form.querySelector("[data-refused]").hidden = true;
  box.focus();
}
