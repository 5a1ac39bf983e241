// Opened content on the page and nowhere else: a value to copy, a note, a file to look at or to keep.

import { inNumbers, knows, say } from "./say.js";

const PICTURES = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const ORDER = ["name", "business", "street", "house_number", "box", "street_2", "postcode", "city"];
const WIDEST = 1024; // pixels of a picture as it is shown
const COPIED_FOR = 3000; // milliseconds for which it is said

/** A list item made from the page's template for a part {part, number}; `content` is the worker's. */
export function partItem({ part, number }, content) {
  const item = document.querySelector("template[data-opened-part]").content.cloneNode(true)
    .firstElementChild;
  const name = say(`part.${part}`, { number });
  item.querySelector("[data-part-name]").textContent = name;
  if (content.fields) showValue(item, content);
  else if (content.note !== undefined) showText(item, content.note);
  else showFile(item, content, name);
  return item;
}

/** The lines of a value as one writes them: a name, a street, a town. */
export function written({ kind, fields }) {
  if (kind !== "party" && kind !== "address") return [Object.values(fields).join(" ")];
  const { name, business, street, street_2: second, house_number: number, box } = fields;
  const { postcode, city, country } = fields;
  const line = [street, number, box].filter(Boolean).join(" ");
  return [name || business, line, second, [postcode, city].filter(Boolean).join(" "), country].filter(Boolean);
}

function showValue(item, content) {
  const list = item.querySelector("[data-fields]");
  // What was sealed stands in the order of its names; a person reads it as an address is written.
  const place = ([name]) => ORDER.indexOf(name) + 1 || ORDER.length + 1;
  const fields = Object.entries(content.fields).sort((one, other) => place(one) - place(other));
  for (const [name, text] of fields) {
    const [term, told] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = knows(`field.${name}`) ? say(`field.${name}`) : name;
    told.textContent = text;
    list.append(term, told);
  }
  list.hidden = false;
  const copy = item.querySelector("[data-copy]");
  if (!navigator.clipboard) return;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(written(content).join("\n"));
    const said = item.querySelector("[data-copied]");
    said.textContent = say("part.copied");
    setTimeout(() => {
      said.textContent = "";
    }, COPIED_FOR);
  });
}

function showText(item, text) {
  const said = item.querySelector("[data-note]");
  said.textContent = text;
  said.hidden = false;
}

function showFile(item, { name, media_type: type, content }, partName) {
  const blob = new Blob([content], { type: PICTURES.includes(type) ? type : "application/octet-stream" });
  item.querySelector("[data-file-name]").textContent = name;
  item.querySelector("[data-file-size]").textContent = say("part.size", { type, size: inNumbers(content.length) });
  item.querySelector("[data-file]").hidden = false;
  const link = item.querySelector("[data-download]");
  link.href = URL.createObjectURL(blob);
  link.download = harmless(name);
  const look = item.querySelector("[data-look]");
  if (!PICTURES.includes(type)) return;
  look.hidden = false;
  look.addEventListener("click", async () => {
    look.disabled = true;
    try {
      item.append(await picture(blob, `${partName}: ${name}`));
      look.hidden = true;
    } catch {
      item.querySelector("[data-copied]").textContent = say("part.no-picture");
    }
  });
}

/** The picture, drawn: a canvas needs no address, so that the policy lets no image of others in. */
async function picture(blob, label) {
  const bitmap = await createImageBitmap(blob);
  const scale = Math.min(1, WIDEST / bitmap.width);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  canvas.className = "opened-picture";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

/** A name that others gave, as far as it is harmless; the counterpart of request_words.py. */
function harmless(name) {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, "_").replace(/^[._-]+/, "").slice(-80) || "attachment";
}
