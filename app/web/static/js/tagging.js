// The worklist of reports without a step, by keyboard: digits choose the step, X takes what is
// suggested, J leaves a report for later, Enter tags. Everything of it can be done without this script by Tab, space and Enter.

const form = document.querySelector("[data-tagging]");
const hint = document.querySelector("[data-tagging-keys]");

// WCAG 2.1.4: who switched single keys off in the account has none here either.
if (form && document.documentElement.dataset.keys !== "off") {
  hint.hidden = false;
  document.addEventListener("keydown", (event) => {
    if (isFree(event) && pressed(event.key)) event.preventDefault();
  });
}

function pressed(key) {
  const step = form.querySelector(`input[data-key="${CSS.escape(key)}"]`);
  if (step) {
    step.checked = true;
    step.focus();
    return true;
  }
  if (key === "x") return takeAll();
  if (key === "j") {
    document.querySelector("[data-tagging-skip]").click();
    return true;
  }
  if (key === "Enter" && document.activeElement === document.body) {
    form.requestSubmit();
    return true;
  }
  return false;
}

/** All of them, or none when all are taken already. */
function takeAll() {
  const suggested = [...form.querySelectorAll("input[data-suggested]")];
  const isTaken = suggested.every((box) => box.checked);
  for (const box of suggested) box.checked = !isTaken;
  suggested[0]?.focus();
  return suggested.length > 0;
}

function isFree(event) {
  const isChoice = event.target.matches("input[type=radio], input[type=checkbox]");
  return (
    !event.defaultPrevented &&
    !event.repeat &&
    !event.isComposing &&
    !(event.ctrlKey || event.metaKey || event.altKey) &&
    !document.querySelector("dialog[open]") &&
    (isChoice || !event.target.closest("input, textarea, select, [contenteditable], [role=listbox]"))
  );
}
