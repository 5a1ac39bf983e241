// Checking and adding up the parts of an evaluation by a shared key, and naming who cheats.
// The counterpart of postern/shared_evaluation.py.

import { fromBase64url } from "./bytes.js";
import { CheatingHoldersError, EvaluationError } from "./evaluation_errors.js";
import { PLATFORM_PART } from "./key_sharing.js";
import { shareKey, summed } from "./threshold.js";
import { ProofInvalidError, isProved, unblinded } from "./voprf.js";

const ELEMENT_SIZE = 32; // bytes

/**
 * The unblinded elements of `cells` {input, blind, blinded} that an answer holds; `key` is
 * {epoch, sharing} of a kind. `onCheat(names)` is told of holders whose part is not proved when the
 * result is right without them. Throws CheatingHoldersError, ProofInvalidError, EvaluationError.
 */
export function openedShared(cells, answer, kind, key, onCheat) {
  const parts = partsOf(answer, kind, key, cells.length);
  const { elements, cheating } = combined(key.sharing, cells, parts);
  if (cheating.includes(0)) throw new ProofInvalidError();
  const nameOf = new Map(key.sharing.holders.map(({ number, name }) => [number, name]));
  const names = cheating.map((number) => nameOf.get(number));
  if (elements === null) {
    const answered = new Set(parts.map(({ number }) => number));
    const away = key.sharing.holders.filter(({ number }) => !answered.has(number)).map(({ name }) => name);
    throw names.length ? new CheatingHoldersError(names, away) : unfit();
  }
  if (names.length) onCheat(names);
  return elements;
}

/**
 * {elements, cheating}: every part {number, elements, proof} verified, the platform's, number 0, and
 * t of the holders' added up, the blinds taken off; elements is null when too few parts hold.
 */
export function combined(sharing, cells, parts) {
  const good = new Map();
  const cheating = [];
  for (const { number, elements, proof } of parts) {
    const key = number ? shareKey(sharing.commitments, number) : sharing.platformKey;
    if (elements.length === cells.length && isProved(itemsOf(cells, elements), key, proof)) good.set(number, elements);
    else cheating.push(number);
  }
  const own = good.get(0);
  good.delete(0);
  if (!own || good.size < sharing.threshold) return { elements: null, cheating };
  const chosen = new Map([...good].sort(([one], [other]) => one - other).slice(0, sharing.threshold));
  const evaluated = summed(own, chosen);
  return { elements: evaluated.map((each, place) => unblinded(cells[place].blind, each)), cheating };
}

/** The parts by their numbers; one that nobody is known to have made is refused. */
function partsOf(answer, kind, { epoch, sharing }, size) {
  const numbers = new Map([[`${kind}/${epoch}/${PLATFORM_PART}`, 0]]);
  for (const { name, number } of sharing.holders) numbers.set(`${kind}/${epoch}/${name}`, number);
  const parts = Array.isArray(answer.parts) ? answer.parts : [];
  const named = new Set(parts.map((part) => part.key_id));
  if (answer.epoch !== epoch || named.size !== parts.length) throw unfit();
  const found = parts.map((part) => {
    const number = numbers.get(part.key_id);
    const elements = (part.elements ?? []).map((each) => fromBase64url(each));
    const proof = fromBase64url(part.proof ?? "");
    const isWritten = elements.every((each) => each?.length === ELEMENT_SIZE);
    if (number === undefined || proof === null || !isWritten) throw unfit();
    return { number, elements, proof };
  });
  if (found.find((part) => part.number === 0)?.elements.length !== size) throw unfit();
  return found;
}

function itemsOf(cells, elements) {
  return cells.map(({ input, blind, blinded }, place) => ({ input, blind, blinded, evaluated: elements[place] }));
}

function unfit() {
  return new EvaluationError(200, "The platform's answer does not fit what was asked. Nothing was used.");
}
