// From values that people type to pseudonyms, with the platform evaluating what it cannot read.
// The counterpart of postern/pseudonymise.py. Clear text and blinds stay in the worker.

import { fromBase64url, toBase64url } from "./bytes.js";
import { EvaluationError } from "./evaluation_errors.js";
import { EVALUATION_KIND, evaluationInput, facetsOf } from "./facets.js";
import { epochOf } from "./key_document.js";
import { normalise } from "./normalise/index.js";
import { openedShared } from "./shared_evaluation.js";
import { clearToken, token } from "./tokens.js";
import { blind, opened } from "./voprf.js";

const BATCH = 100; // elements that are blinded between two reports of progress
const MOST = 1000; // elements of one request
const MOST_KNOWN = 30_000; // inputs that stay known

/**
 * Pseudonyms {kind, epoch, facets: [{number, token, element}]} of values {kind, value}, in order.
 *
 * `evaluate(body)` sends one request and gives the answer's JSON; `onProgress(done, total)` counts
 * blinded and opened elements. Equal inputs are evaluated once: evaluations are what a quota counts.
 * `known` may be a Map in which inputs stay known from one call to the next. `holders` speaks for the
 * organisation where a key is shared: {require(), sign(question), onCheat(names)}; `require` throws
 * SignatureNeededError while no key is unlocked, before anything is sent.
 */
export async function pseudonymise(values, how) {
  const { document, purpose, caseReference, evaluate, holders, onProgress, known = new Map() } = how;
  const members = values.map(({ kind, value }) => memberOf(kind, value, document));
  if (known.size > MOST_KNOWN) known.clear();
  const inputs = newInputs(members, known);
  const total = 2 * [...inputs.values()].reduce((sum, list) => sum + list.length, 0);
  let done = 0;
  const advance = (count) => onProgress?.((done += count), total);
  const keys = new Map([...inputs.keys()].map((kind) => [kind, epochOf(document, kind)]));
  if ([...keys.values()].some(({ sharing }) => sharing)) holders.require();
  for (const [evaluationKind, list] of inputs) {
    const key = keys.get(evaluationKind);
    for (let at = 0; at < list.length; at += MOST) {
      const few = list.slice(at, at + MOST);
      await inSteps(few, (cell) => Object.assign(cell, blind(cell.input)), advance);
      const answer = await evaluate({
        kind: evaluationKind,
        epoch: key.epoch,
        elements: few.map((cell) => toBase64url(cell.blinded)),
        purpose,
        case: caseReference,
        ...signatureOf(few, evaluationKind, key, purpose, holders),
      });
      const elements = key.sharing
        ? openedShared(few, answer, evaluationKind, key, holders.onCheat)
        : openedAlone(few, answer, key);
      few.forEach((cell, place) => Object.assign(cell, { element: elements[place] }));
      advance(few.length);
    }
  }
  return members.map(pseudonymOf);
}

function memberOf(kind, value, document) {
  const facets = facetsOf(normalise(kind, value));
  const evaluationKind = EVALUATION_KIND.get(kind);
  const epoch = evaluationKind ? epochOf(document, evaluationKind).epoch : 0;
  return { kind, evaluationKind, epoch, facets, cells: [] };
}

/** Evaluation kind -> cells that have no element yet; each member gets the cells of its facets. */
function newInputs(members, known) {
  const inputs = new Map();
  for (const member of members) {
    for (const facet of member.evaluationKind ? member.facets : []) {
      const name = `${member.evaluationKind}/${member.epoch}/${facet.text}`;
      if (!known.has(name)) known.set(name, { input: evaluationInput(facet, member.evaluationKind) });
      member.cells.push(known.get(name));
    }
    const fresh = member.cells.filter((cell) => !cell.element);
    if (fresh.length) {
      const listed = inputs.get(member.evaluationKind) ?? new Set();
      inputs.set(member.evaluationKind, fresh.reduce((set, cell) => set.add(cell), listed));
    }
  }
  return new Map([...inputs].map(([kind, cells]) => [kind, [...cells]]));
}

async function inSteps(list, work, advance) {
  for (let at = 0; at < list.length; at += BATCH) {
    const few = list.slice(at, at + BATCH);
    few.forEach(work);
    advance(few.length);
    await new Promise((resolve) => setTimeout(resolve)); // messages to the worker get a turn
  }
}

/** The organisation's own signature, where holders ask for it. */
function signatureOf(cells, kind, { epoch, sharing }, purpose, holders) {
  if (!sharing) return {};
  const elements = cells.map((cell) => cell.blinded);
  return { signed: holders.sign({ kind, epoch, commitment: sharing.commitments[0], purpose, elements }) };
}

function openedAlone(cells, answer, { epoch, publicKey }) {
  const [part, ...others] = answer.parts ?? [];
  const evaluated = (part?.elements ?? []).map((each) => fromBase64url(each));
  const proof = fromBase64url(part?.proof ?? "");
  const isOne = others.length === 0 && evaluated.length === cells.length;
  if (answer.epoch !== epoch || !isOne || !proof || evaluated.includes(null)) {
    throw new EvaluationError(200, "The platform's answer does not fit what was asked. Nothing was used.");
  }
  const items = cells.map((cell, place) => ({
    input: cell.input,
    blind: cell.blind,
    blinded: cell.blinded,
    evaluated: evaluated[place],
  }));
  return opened(items, publicKey, proof);
}

function pseudonymOf({ kind, evaluationKind, epoch, facets, cells }) {
  return {
    kind,
    epoch,
    facets: facets.map((facet, place) =>
      evaluationKind
        ? {
            number: facet.number,
            kind: facet.kind,
            token: token(evaluationKind, epoch, cells[place].element),
            element: cells[place].element,
          }
        : { number: facet.number, kind: facet.kind, token: clearToken(kind, facet.text), element: null },
    ),
  };
}
