// Verifies one shown entry in this browser: that what is shown was hashed, and stands in the log.

import { Premises } from "/static/modules/premises.js";
import { seen } from "./log_seen.js";
import { say, told } from "./say.js";

let premises = null; // only once somebody asks

for (const proof of document.querySelectorAll("[data-proof]")) {
  const button = proof.querySelector("button");
  button.addEventListener("click", () => verify(proof, button));
  proof.hidden = false;
}

async function verify(proof, button) {
  const text = (name) => proof.parentElement.querySelector(`[data-${name}]`).textContent;
  const place = proof.dataset.proof;
  button.disabled = true;
  tell(proof, say("proof.working"), "");
  try {
    premises ??= new Premises();
    const { status, code, ...facts } = await premises.ask("verifyEntry", {
      held: seen(),
      place: place === "" ? null : Number(place),
      record: text("record"),
      leaf: text("leaf"),
      disclosures: text("openings").split("\n").filter(Boolean),
    });
    tell(proof, say(`proof.${code}`, facts), status);
  } catch (error) {
    const { reason, remedy } = told(error);
    tell(proof, `${reason} ${remedy}`, "open");
  }
  button.disabled = false;
}

function tell(proof, sentence, status) {
  const result = proof.querySelector("[role=status]");
  result.textContent = sentence;
  result.className = { good: "proof proof-good", bad: "proof proof-bad" }[status] ?? "proof";
}
