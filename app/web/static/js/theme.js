// Changes the theme without loading the page again, so that nothing typed is lost.
// Without it the form does the same by the server.

const form = document.getElementById("themes");
const dark = document.getElementById("dark"); // the sheet of dark colours
const MEDIA = { light: "not all", dark: "screen", system: "screen and (prefers-color-scheme: dark)" };
const scheme = document.querySelector("meta[name=color-scheme]");

form.addEventListener("submit", (event) => {
  const pressed = event.submitter;
  if (!pressed) return;
  event.preventDefault();
  const chosen = new FormData(form);
  chosen.set("theme", pressed.value);
  dark.media = MEDIA[pressed.value];
  document.documentElement.dataset.theme = pressed.value;
  scheme.content = pressed.value === "system" ? "light dark" : pressed.value;
  for (const button of form.querySelectorAll("button")) {
    if (button === pressed) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  // Only to be remembered: where it fails, the next page comes in the former theme.
  fetch(form.action, { method: "POST", body: new URLSearchParams(chosen), redirect: "manual" }).catch(() => {});
});
