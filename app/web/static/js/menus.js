// Closes an open menu of the hall by Escape, and when the focus or a click goes elsewhere.
// Without it a menu opens and closes by its own button.

const menus = [...document.querySelectorAll(".hall-menu")];

function closeOthers(target) {
  for (const menu of menus) {
    if (menu.open && !menu.contains(target)) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeOthers(event.target));
document.addEventListener("focusin", (event) => closeOthers(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus) {
    if (!menu.open) continue;
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
