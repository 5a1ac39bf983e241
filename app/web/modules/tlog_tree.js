// The tree of the log: its hashes, and whether proofs lead where they say.
// The counterpart of postern/tlog/{hashing,tree}.py. Sources: RFC 6962, section 2.1; RFC 9162,
// sections 2.1.3.2 and 2.1.4.2. Sizes are exact up to 2^53.

import { sha256 } from "@noble/hashes/sha2.js";

import { joined, same } from "./bytes.js";

export const HASH_SIZE = 32; // bytes
export const EMPTY_ROOT = sha256(new Uint8Array());

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** A proof, tile or bundle does not show what it should; nothing that rests on it may be believed. */
export class ProofError extends Error {
  constructor(reason) {
    super(`The proof fails: ${reason}.`);
    this.name = "ProofError";
    this.reason = reason;
  }
}

export function leafHash(entry) {
  return sha256(joined(LEAF, entry));
}

export function nodeHash(left, right) {
  return sha256(joined(NODE, left, right));
}

/** The root over leaf hashes that come one after the other; memory grows with log(n) only. */
export class Growing {
  size = 0;
  #complete = []; // roots of complete subtrees from the left, each smaller in height

  add(hash) {
    let peak = hash;
    for (let above = this.size; above % 2; above = (above - 1) / 2) {
      peak = nodeHash(this.#complete.pop(), peak);
    }
    this.#complete.push(peak);
    this.size += 1;
  }

  get root() {
    return rootUnder(this.#complete.toReversed());
  }
}

/** The root over leaf hashes. */
export function rootOf(hashes) {
  const tree = new Growing();
  for (const hash of hashes) tree.add(hash);
  return tree.root;
}

/** Returns when the leaf stands at `index` of the tree of `size` leaves under `root`. */
export function verifyInclusion(index, size, leaf, proof, root) {
  checkHashes(leaf, root, ...proof);
  if (!(index >= 0 && index < size)) throw new ProofError(`a tree of ${size} has no entry ${index}`);
  let [node, last, found] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) throw new ProofError("it has more hashes than the path to the root");
    if (node % 2 || node === last) {
      found = nodeHash(sibling, found);
      for (; node % 2 === 0 && node; node /= 2) last = half(last);
    } else {
      found = nodeHash(found, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last) throw new ProofError("it has fewer hashes than the path to the root");
  if (!same(found, root)) {
    throw new ProofError(`it does not lead from entry ${index} to the root of size ${size}`);
  }
}

/** Returns when the new tree begins with all the leaves of the old one, which has at least one. */
export function verifyConsistency(oldSize, oldRoot, newSize, newRoot, proof) {
  checkHashes(oldRoot, newRoot, ...proof);
  if (!(oldSize > 0 && oldSize <= newSize)) {
    throw new ProofError(`sizes ${oldSize} and ${newSize} are not those of a growing log`);
  }
  if (oldSize === newSize) {
    if (proof.length) throw new ProofError("the sizes are the same, so it must be empty");
    if (!same(oldRoot, newRoot)) throw new ProofError(`there are two roots for the size ${oldSize}`);
    return;
  }
  const [oldFound, newFound] = bothRoots(oldSize, newSize, oldRoot, proof);
  if (!same(oldFound, oldRoot)) {
    throw new ProofError(`it does not lead to the root of the earlier size ${oldSize}`);
  }
  if (!same(newFound, newRoot)) {
    throw new ProofError(`it does not lead to the root of the later size ${newSize}`);
  }
}

/** The root over the peaks of a tree, the rightmost first. */
export function rootUnder([first, ...others]) {
  if (!first) return EMPTY_ROOT;
  return others.reduce((root, peak) => nodeHash(peak, root), first);
}

function bothRoots(oldSize, newSize, oldRoot, proof) {
  if (!proof.length) throw new ProofError("it is empty, but the log grew");
  const path = oldSize === 2 ** heightOf(oldSize) ? [oldRoot, ...proof] : proof;
  let [node, last] = [oldSize - 1, newSize - 1];
  for (; node % 2; node = half(node)) last = half(last);
  let [oldFound, newFound] = [path[0], path[0]];
  for (const sibling of path.slice(1)) {
    if (last === 0) throw new ProofError("it has more hashes than the path to the root");
    if (node % 2 || node === last) {
      [oldFound, newFound] = [nodeHash(sibling, oldFound), nodeHash(sibling, newFound)];
      for (; node % 2 === 0 && node; node /= 2) last = half(last);
    } else {
      newFound = nodeHash(newFound, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last) throw new ProofError("it has fewer hashes than the path to the root");
  return [oldFound, newFound];
}

function checkHashes(...hashes) {
  if (hashes.some((each) => each.length !== HASH_SIZE)) {
    throw new ProofError("a hash in it is not 32 bytes long");
  }
}

const half = (number) => Math.floor(number / 2);

/** The height of the largest complete subtree that so many leaves have from the left. */
export function heightOf(leaves) {
  let height = 0;
  while (2 ** (height + 1) <= leaves) height += 1;
  return height;
}
