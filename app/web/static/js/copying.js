// Buttons that copy the settings beside them, where the browser lets a page do it.

import { say } from "./say.js";

const told = document.querySelector("[data-copied]");

for (const button of document.querySelectorAll("[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

async function copy(button) {
  const text = button.parentElement.querySelector("code").textContent;
  const done = await navigator.clipboard.writeText(text).then(
    () => "copied",
    () => "copy.failed",
  );
  told.textContent = say(done);
}
