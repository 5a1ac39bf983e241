// A page's desk: the worker that does its cryptography, and the platform's keys as this browser
// accepted them first. A key that changed since stops the page until a person has looked.

import { tellCheating } from "./holders.js";
import { Premises } from "/static/modules/premises.js";

const ACCEPTED = "postern.keys"; // local storage: {fingerprint, document}; public, of no person

/**
 * {premises, document, fingerprint, shared}; `shared` is {kinds, others, holders, threshold} of the keys
 * of which holders have shares. Throws the worker's KeyDocumentError.
 */
export async function openDesk() {
  const premises = new Premises();
  const accepted = acceptedKeys();
  const found = await premises.ask("keys", { pinned: accepted?.document ?? null });
  if (accepted && accepted.fingerprint !== found.fingerprint) {
    premises.close();
    throw Object.assign(new Error("The platform signs its keys with another key than before."), {
      name: "KeyDocumentError",
      code: "unpinned",
    });
  }
  localStorage.setItem(ACCEPTED, JSON.stringify(found));
  tellCheating(premises);
  return { premises, ...found, shared: await premises.ask("shared", { document: found.document }) };
}

/** One request to the platform's interface, of JSON or a Blob's bytes, as the signed-in person. */
export async function ask(method, address, body) {
  const isBytes = body instanceof Blob;
  const type = isBytes ? "application/octet-stream" : "application/json";
  const answer = await fetch(address, {
    method,
    headers: {
      Accept: "application/json",
      "X-CSRFToken": formToken(),
      ...(body === undefined ? {} : { "Content-Type": type }),
    },
    body: body === undefined || isBytes ? body : JSON.stringify(body),
  });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  throw Object.assign(new Error(content.title ?? `The platform said ${answer.status}.`), {
    name: "RefusedError",
    status: answer.status,
    problem: content,
  });
}

function formToken() {
  return document.querySelector("input[name=csrf_token]")?.value ?? "";
}

function acceptedKeys() {
  try {
    return JSON.parse(localStorage.getItem(ACCEPTED));
  } catch {
    return null;
  }
}
