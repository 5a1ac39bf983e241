// Makes the form of a draft nicer; without it every button works by the server.
// The Cedar follows what is ticked, and rules are moved and taken out without a reload.

const form = document.getElementById("draft");
const shown = document.querySelector("#cedar code");
const state = document.getElementById("draft-state");
const PAUSE = 500; // milliseconds without a change before the text is made anew

let waiting = 0;
let asked = 0;
let isSaved = true;

if (form && shown && state) {
  form.addEventListener("input", changed);
  form.addEventListener("click", step);
  form.addEventListener("submit", () => {
    isSaved = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isSaved) event.preventDefault();
  });
}

function changed() {
  isSaved = false;
  say(form.dataset.unsaved);
  clearTimeout(waiting);
  waiting = setTimeout(compose, PAUSE);
}

async function compose() {
  const mine = ++asked;
  const answer = await fetch(form.dataset.compose, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(new FormData(form)),
  }).catch(() => null);
  if (mine !== asked || answer === null) return; // a later change has asked again
  if (!answer.ok) {
    say(`${form.dataset.unsaved} ${form.dataset.faulty}`);
    return;
  }
  const made = await answer.json();
  shown.textContent = made.text;
  say(made.faults ? `${form.dataset.unsaved} ${form.dataset.faulty}` : form.dataset.unsaved);
}

function step(event) {
  const button = event.target.closest("button[name=do]");
  const rule = button?.closest(".rule");
  if (!rule) return;
  const kind = button.value.split(":")[0];
  const other = { up: rule.previousElementSibling, down: rule.nextElementSibling }[kind];
  if (kind === "remove") {
    const next = rule.nextElementSibling ?? rule.previousElementSibling;
    if (!next) return; // the page without any rule is the server's
    event.preventDefault();
    rule.remove();
    next.querySelector("summary").focus();
    number();
    changed();
    say(form.dataset.removed);
  } else if (other) {
    event.preventDefault();
    if (kind === "up") other.before(rule);
    else other.after(rule);
    number();
    (button.disabled ? rule.querySelector("summary") : button).focus();
    changed();
  }
}

// What is read: the places, and which rule cannot move further. Names of fields stay as they are.
function number() {
  const rules = [...form.querySelectorAll(".rule")];
  rules.forEach((rule, place) => {
    rule.querySelector(".rule-number").textContent = String(place + 1);
    rule.querySelector("button[value^=up]").disabled = place === 0;
    rule.querySelector("button[value^=down]").disabled = place === rules.length - 1;
    for (const hidden of rule.querySelectorAll("button[name=do] .visually-hidden")) {
      hidden.textContent = ` ${place + 1}`;
    }
  });
}

function say(words) {
  state.textContent = words;
}
