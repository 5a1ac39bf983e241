// What is found of the log as a whole: does it only grow, who vouches for it, do its entries give the
// root that was signed, were promises kept? The counterpart of postern/audit/{log_checks,receipts}.py.

import { fromBase64url, same, text, utf8 } from "./bytes.js";
import {
  KIND_COSIGNATURE,
  NoteError,
  VerifierKey,
  fromBase64,
  openCheckpoint,
  openReceipt,
  toBase64,
  verified,
} from "./tlog_notes.js";
import { served, unlessRefuted } from "./tlog_served.js";
import { ENTRIES_LEVEL, bundlesOf, parseBundle, tilePath } from "./tlog_tiles.js";
import { Growing, leafHash, verifyConsistency } from "./tlog_tree.js";

const OLDEST_COSIGNATURE = 24 * 3600; // seconds
const LATEST_COSIGNATURE = 900; // seconds after which what came since must be cosigned too
const PATIENCE = 65; // seconds within which a receipt's promise must be kept
const AT_ONCE = 4; // bundles on their way

/** {finding, evidence}: whether the log only grew since this browser saw it. */
export async function grown(held, head, tree) {
  if (!held) return { finding: { check: "growth", status: "open", code: "first" } };
  const { size } = head.checkpoint;
  const facts = { check: "growth", before: held.size, num: size - held.size, at: held.at };
  if (size < held.size) return contradicted({ ...facts, code: "shrank" }, held.note, head.note);
  if (await isExtended(held.size, fromBase64(held.root), head.checkpoint, tree)) {
    return { finding: { ...facts, status: "good", code: size === held.size ? "same" : "more" } };
  }
  return contradicted({ ...facts, code: "forked" }, held.note, head.note);
}

/**
 * {finding, witnesses, evidence}: whether enough organisations beside the operator saw the same log.
 *
 * `note` is the newest checkpoint that they cosigned, read before that of `head`; null for none.
 */
export async function vouched(note, published, head, tree, now) {
  const needed = published.quorum;
  if (!needed) return { finding: { check: "witnesses", status: "open", code: "none" } };
  const facts = { check: "witnesses", needed };
  if (note === null) return { finding: { ...facts, status: "bad", code: "few", num: 0 } };
  const owners = new Map(published.witnesses.map((each) => [each.vkey, each.organisation]));
  let found;
  try {
    const { checkpoint, note: parsed } = openCheckpoint(note, head.keys);
    found = { checkpoint, signed: verified(parsed, [...owners.keys()].map(key)) };
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    return { finding: { ...facts, status: "bad", code: "forged" } };
  }
  const { checkpoint } = found;
  const witnesses = found.signed
    .filter((each) => each.key.kind === KIND_COSIGNATURE)
    .map((each) => ({ organisation: owners.get(each.key.vkey), name: each.key.name, time: each.time }))
    .filter((each) => each.organisation !== published.operator);
  const newest = new Map(); // of each organisation, when it last vouched
  for (const { organisation, time } of witnesses) {
    newest.set(organisation, Math.max(time, newest.get(organisation) ?? 0));
  }
  const told = (status, code, more = {}) => ({
    finding: { ...facts, status, code, num: newest.size, size: checkpoint.size, ...more },
    witnesses,
  });
  if (newest.size < needed) return told("bad", "few");
  const isLarger = checkpoint.size > head.checkpoint.size;
  if (isLarger || !(await isExtended(checkpoint.size, checkpoint.root, head.checkpoint, tree))) {
    return { ...contradicted({ ...facts, code: "forked" }, text(note), head.note), witnesses };
  }
  const until = [...newest.values()].sort((a, b) => b - a)[needed - 1]; // when enough had
  if (until + OLDEST_COSIGNATURE < now) return told("bad", "old", { at: until });
  const uncovered = head.checkpoint.size - checkpoint.size;
  const isLate = uncovered > 0 && until + LATEST_COSIGNATURE < now;
  return told(isLate ? "open" : "good", isLate ? "late" : "good", { at: until, uncovered });
}

/** Whether the entries give the root that was signed; the promises that are kept are marked. */
export async function hashedAll({ size, root }, promises, isStopped, onProgress) {
  const tree = new Growing();
  const wanted = new Map(promises.map((each) => [each.hashed, each]));
  const bundles = [...bundlesOf(size)];
  const facts = { check: "entries", num: size };
  const coming = [];
  try {
    for (let at = 0; at < bundles.length; at += 1) {
      for (let next = at; next < Math.min(at + AT_ONCE, bundles.length); next += 1) {
        coming[next] ??= started(bundles[next]);
      }
      const content = await coming[at];
      coming[at] = null;
      if (isStopped()) return { ...facts, status: "open", code: "stopped", done: tree.size };
      if (content instanceof Error) throw content;
      for (const entry of parseBundle(content, bundles[at][1])) {
        const hash = leafHash(entry);
        tree.add(hash);
        const promise = wanted.size ? wanted.get(toBase64(hash)) : undefined;
        if (promise) promise.isKept = true;
      }
      onProgress(tree.size, size);
    }
  } catch (error) {
    unlessRefuted(error);
    return { ...facts, status: "bad", code: "missing", done: tree.size };
  }
  const isRoot = same(tree.root, root);
  return { ...facts, status: isRoot ? "good" : "bad", code: isRoot ? "good" : "other" };
}

/** The promises in receipts, as `hashedAll` marks them. */
export function promised(receipts, published, held) {
  const keys = (held?.receiptKeys ?? published.receipt).map(key);
  return receipts.map((written) => {
    try {
      const { leafHash: hash, at } = openReceipt(fromBase64url(written) ?? utf8(""), keys);
      return { written, hashed: toBase64(hash), at, isKept: false };
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      return { written, hashed: "", at: Infinity, isKept: false, isForeign: true };
    }
  });
}

/** What became of the promises: one finding, or none. */
export function kept(promises, now, hashed) {
  const facts = { check: "receipts", num: promises.length };
  const count = (condition) => promises.filter(condition).length;
  const foreign = count((each) => each.isForeign);
  const broken = count((each) => !each.isKept && each.at + PATIENCE < now);
  if (!promises.length || hashed === "open") return [];
  if (broken) return [{ ...facts, status: "bad", code: "broken", num: broken }];
  if (foreign) return [{ ...facts, status: "open", code: "foreign", num: foreign }];
  return [{ ...facts, status: "good", code: "good", num: count((each) => each.isKept) }];
}

async function isExtended(size, root, checkpoint, tree) {
  if (size === 0) return true;
  try {
    const proof = await tree.consistencyProof(size);
    verifyConsistency(size, root, checkpoint.size, checkpoint.root, proof);
    return true;
  } catch (error) {
    unlessRefuted(error);
    return false;
  }
}

// A failure waits as a value, so that it is nobody's unhandled one.
function started([index, width]) {
  return served(tilePath(ENTRIES_LEVEL, index, width)).catch((error) => error);
}

function contradicted(facts, before, now) {
  const evidence = { before, now: text(now) };
  return { finding: { ...facts, status: "bad" }, evidence };
}

const key = (vkey) => new VerifierKey(vkey);
