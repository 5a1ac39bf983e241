// The tree cut into tiles of 256 hashes, and proofs made from them: believed only when verified
// against a signed root. The counterpart of postern/tlog/{tiles,bundles}.py. Source: C2SP tlog-tiles.

import { HASH_SIZE, ProofError, heightOf, rootOf, rootUnder } from "./tlog_tree.js";

const TILE_WIDTH = 256; // hashes
export const ENTRIES_LEVEL = -1; // bundles of entries stand beside the tiles

const HEIGHT = 8; // rows of the tree between one level of tiles and the next

/** Where a tile stands below the log's prefix, such as `tile/0/x001/x234/067.p/12`. */
export function tilePath(level, index, width = TILE_WIDTH) {
  const groups = [String(index % 1000).padStart(3, "0")];
  for (let higher = Math.floor(index / 1000); higher; higher = Math.floor(higher / 1000)) {
    groups.unshift(`x${String(higher % 1000).padStart(3, "0")}`);
  }
  const name = level === ENTRIES_LEVEL ? "entries" : level;
  return `tile/${name}/${groups.join("/")}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** The bundles of a log: [index, width] each. */
export function* bundlesOf(size) {
  for (let start = 0; start < size; start += TILE_WIDTH) {
    yield [start / TILE_WIDTH, Math.min(TILE_WIDTH, size - start)];
  }
}

/** The `width` entries of a bundle; ProofError when it holds anything else. */
export function parseBundle(bundle, width) {
  const entries = [];
  for (let at = 0; at < bundle.length; ) {
    const start = at + 2;
    at = start + ((bundle[at] << 8) | (bundle[at + 1] ?? 0));
    if (start > bundle.length || at > bundle.length) throw new ProofError("a bundle is cut short");
    entries.push(bundle.subarray(start, at));
  }
  if (entries.length !== width) {
    throw new ProofError(`a bundle has ${entries.length} entries, not ${width}`);
  }
  return entries;
}

/** A tree of one size, seen through its tiles; `read(path)` gives the bytes of a tile. */
export class TiledTree {
  #read;
  #tiles = new Map();

  constructor(read, size) {
    this.#read = read;
    this.size = size;
  }

  /** The root of the tree as its tiles give it. */
  root() {
    return this.#between(0, this.size);
  }

  /** The hashes from the leaf's sibling up to the root's child. */
  async inclusionProof(index) {
    const proof = [];
    for (let [start, end] = [0, this.size]; end - start > 1; ) {
      const middle = start + split(end - start);
      const isLeft = index < middle;
      proof.push(await (isLeft ? this.#between(middle, end) : this.#between(start, middle)));
      [start, end] = isLeft ? [start, middle] : [middle, end];
    }
    return proof.reverse();
  }

  /** The proof that the first `old` leaves are the old tree; empty for 0 and for the whole. */
  async consistencyProof(old) {
    if (old === 0 || old === this.size) return [];
    const proof = [];
    let [start, end] = [0, this.size];
    while (end !== old) {
      const middle = start + split(end - start);
      const isLeft = old <= middle;
      proof.push(await (isLeft ? this.#between(middle, end) : this.#between(start, middle)));
      [start, end] = isLeft ? [start, middle] : [middle, end];
    }
    if (start) proof.push(await this.#between(start, end));
    return proof.reverse();
  }

  // The root over leaves [start, end), where `start` is one that RFC 6962 splits at.
  async #between(start, end) {
    const found = [];
    for (let at = start; at < end; ) {
      const height = heightOf(end - at);
      found.push(await this.#node(height, at / 2 ** height));
      at += 2 ** height;
    }
    return rootUnder(found.reverse());
  }

  async #node(height, index) {
    const [level, rest] = [Math.floor(height / HEIGHT), height % HEIGHT];
    const first = index * 2 ** rest;
    const number = Math.floor(first / TILE_WIDTH);
    const hashes = Math.floor(this.size / 2 ** (HEIGHT * level));
    const row = await this.#tile(level, number, Math.min(TILE_WIDTH, hashes - number * TILE_WIDTH));
    const from = first % TILE_WIDTH;
    return rootOfHashes(row.slice(from * HASH_SIZE, (from + 2 ** rest) * HASH_SIZE));
  }

  async #tile(level, index, width) {
    const path = tilePath(level, index, width);
    if (!this.#tiles.has(path)) {
      const row = await this.#read(path);
      if (row.length !== width * HASH_SIZE) throw new ProofError(`${path} is not whole`);
      this.#tiles.set(path, row);
    }
    return this.#tiles.get(path);
  }
}

function rootOfHashes(row) {
  const hashes = [];
  for (let at = 0; at < row.length; at += HASH_SIZE) hashes.push(row.subarray(at, at + HASH_SIZE));
  return rootOf(hashes);
}

// The largest power of two below a number of leaves greater than one.
const split = (leaves) => 2 ** heightOf(leaves - 1);
