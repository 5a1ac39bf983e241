// From values that people type to pseudonyms, with the platform evaluating what it cannot read.
// The counterpart of postern/pseudonymise.py. Clear text and blinds stay in the worker.

import { fromBase64url, toBase64url } from "./bytes.js";
import { EVALUATION_KIND, evaluationInput, facetsOf } from "./facets.js";
import { epochOf } from "./key_document.js";
import { normalise } from "./normalise/index.js";
import { clearToken, token } from "./tokens.js";
import { blind, opened } from "./voprf.js";

const BATCH = 100; // elements that are blinded between two reports of progress
const MOST = 1000; // elements of one request

/** The platform refused an evaluation, or answered what cannot be used; `status` is HTTP's. */
export class EvaluationError extends Error {
  constructor(status, sentence, problem = {}) {
    super(sentence);
    this.name = "EvaluationError";
    this.status = status;
    this.problem = problem;
  }
}

/**
 * Pseudonyms {kind, epoch, facets: [{number, token, element}]} of values {kind, value}, in order.
 *
 * `evaluate(body)` sends one request and gives the answer's JSON; `onProgress(done, total)` counts
 * blinded and opened elements. Equal inputs are evaluated once: evaluations are what a quota counts.
 */
export async function pseudonymise(values, { document, purpose, caseReference, evaluate, onProgress }) {
  const members = values.map(({ kind, value }) => memberOf(kind, value, document));
  const inputs = distinctInputs(members);
  const total = 2 * [...inputs.values()].reduce((sum, cells) => sum + cells.size, 0);
  let done = 0;
  const advance = (count) => onProgress?.((done += count), total);
  for (const [evaluationKind, cells] of inputs) {
    const { epoch, publicKey } = epochOf(document, evaluationKind);
    const list = [...cells.values()];
    for (let at = 0; at < list.length; at += MOST) {
      const few = list.slice(at, at + MOST);
      await inSteps(few, (cell) => Object.assign(cell, blind(cell.input)), advance);
      const answer = await evaluate({
        kind: evaluationKind,
        epoch,
        elements: few.map((cell) => toBase64url(cell.blinded)),
        purpose,
        case: caseReference,
      });
      openAll(few, answer, epoch, publicKey);
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

/** Evaluation kind -> distinct input -> cell; each member gets the cells of its facets. */
function distinctInputs(members) {
  const inputs = new Map();
  for (const member of members) {
    if (!member.evaluationKind) continue;
    if (!inputs.has(member.evaluationKind)) inputs.set(member.evaluationKind, new Map());
    const cells = inputs.get(member.evaluationKind);
    for (const facet of member.facets) {
      if (!cells.has(facet.text)) {
        cells.set(facet.text, { input: evaluationInput(facet, member.evaluationKind) });
      }
      member.cells.push(cells.get(facet.text));
    }
  }
  return inputs;
}

async function inSteps(list, work, advance) {
  for (let at = 0; at < list.length; at += BATCH) {
    const few = list.slice(at, at + BATCH);
    few.forEach(work);
    advance(few.length);
    await new Promise((resolve) => setTimeout(resolve)); // messages to the worker get a turn
  }
}

function openAll(cells, answer, epoch, publicKey) {
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
  const elements = opened(items, publicKey, proof);
  cells.forEach((cell, place) => {
    cell.element = elements[place];
  });
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
