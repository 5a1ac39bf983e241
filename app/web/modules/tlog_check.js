// Verifying the log from a page: what the platform signed, against what it serves, what this browser
// saw before and what witnesses saw.
//
// A finding is {check, status, ...facts}: "good", "bad", or "open" where it cannot be told.

import { sha256 } from "@noble/hashes/sha2.js";

import { text, toBase64url, utf8 } from "./bytes.js";
import { grown, hashedAll, kept, promised, vouched } from "./tlog_findings.js";
import { NoteError, VerifierKey, openCheckpoint, toBase64 } from "./tlog_notes.js";
import { served, unlessMissing, unlessRefuted } from "./tlog_served.js";
import { TiledTree } from "./tlog_tiles.js";
import { leafHash, verifyInclusion } from "./tlog_tree.js";

let isStopped = false;

/** Let the verification in progress end where it is. */
export function stop() {
  isStopped = true;
  return {};
}

/**
 * {findings, witnesses, evidence, seen, proven, head}: what can be told of the log as it is served.
 *
 * `held` is `seen` of an earlier time or null; `receipts` are those that the platform gave since.
 * With `isFull` every entry is hashed. `evidence` are two signed notes that cannot both be true,
 * `proven` the receipts that were found in the log, `head` its size and root.
 */
export async function verifyLog({ held, receipts = [], isFull = true }, onProgress, now = seconds()) {
  isStopped = false;
  const published = JSON.parse(text(await served("keys")));
  const saw = await served("checkpoint/cosigned").catch(unlessMissing); // before the newest
  const note = await served("checkpoint").catch(unlessMissing);
  if (note === null) return { findings: [{ check: "head", status: "open" }], seen: held };
  const head = opened(note, held, published);
  if (head.finding.status === "bad") return { findings: [head.finding], seen: held };
  const tree = new TiledTree(served, head.checkpoint.size);
  const findings = [head.finding];
  const growth = await grown(held, head, tree);
  const cosigned = await vouched(saw, published, head, tree, now);
  findings.push(growth.finding, cosigned.finding);
  const promises = promised(receipts, published, held);
  const hashed = isFull
    ? await hashedAll(head.checkpoint, promises, () => isStopped, onProgress)
    : null;
  if (hashed) findings.push(hashed, ...kept(promises, now, hashed.status));
  const isWhole = findings.every((each) => each.status !== "bad");
  return {
    findings,
    witnesses: cosigned.witnesses,
    evidence: growth.evidence ?? cosigned.evidence ?? null,
    seen: isWhole ? seenNow(head, held, published) : held,
    proven: promises.filter((each) => each.isKept).map((each) => each.written),
    head: { size: head.checkpoint.size, root: toBase64(head.checkpoint.root) },
  };
}

/**
 * {status, code, place, size}: whether an entry, as it is shown, stands at its place of the log.
 *
 * `record` and `leaf` as they were hashed, `disclosures` the openings of the details.
 */
export async function verifyEntry({ held, place, record, leaf, disclosures }) {
  const told = JSON.parse(leaf);
  const digests = Object.values(JSON.parse(record).f);
  const isFixed =
    told.c === digest(record) && disclosures.every((each) => digests.includes(digest(each)));
  if (!isFixed) return { status: "bad", code: "content" };
  const published = JSON.parse(text(await served("keys")));
  const note = await served("checkpoint").catch(unlessMissing);
  if (note === null) return { status: "open", code: "waits" };
  const { finding, checkpoint } = opened(note, held, published);
  if (finding.status === "bad") return { status: "bad", code: "signature" };
  const { size, root } = checkpoint;
  if (place === null || place >= size) return { status: "open", code: "waits" };
  try {
    const proof = await new TiledTree(served, size).inclusionProof(place);
    verifyInclusion(place, size, leafHash(utf8(leaf)), proof, root);
  } catch (error) {
    unlessRefuted(error);
    return { status: "bad", code: "place", place, size };
  }
  return { status: "good", code: "good", place, size };
}

// The checkpoint that the log's key signed: the key that this browser knows, if it knows one.
function opened(note, held, published) {
  const known = held?.keys ?? published.log;
  try {
    const keys = known.map(key);
    const { checkpoint } = openCheckpoint(note, keys);
    const isOther = held && checkpoint.origin !== held.origin;
    const status = isOther ? "bad" : "good";
    const code = isOther ? "other" : held ? "known" : "first";
    const finding = { check: "signature", status, code, num: checkpoint.size, name: known[0] };
    return { finding, checkpoint, keys, note };
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    const isNewKey = known.join() !== published.log.join();
    const code = isNewKey ? "changed" : "wrong";
    return { finding: { check: "signature", status: "bad", code, num: 0, name: known[0] } };
  }
}

function seenNow(head, held, published) {
  const { origin, size, root } = head.checkpoint;
  return {
    ...{ origin, size, root: toBase64(root), note: text(head.note), at: seconds() },
    keys: held?.keys ?? published.log,
    receiptKeys: held?.receiptKeys ?? published.receipt,
  };
}

const key = (vkey) => new VerifierKey(vkey);
const digest = (written) => toBase64url(sha256(utf8(written)));
const seconds = () => Math.floor(Date.now() / 1000);
