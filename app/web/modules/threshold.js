// One evaluation key in several hands: Feldman's commitments and Lagrange's weights.
// The counterpart of postern/threshold.py, on the side of who asks: all that it sees is public.

import { ristretto255 } from "@noble/curves/ed25519.js";

const { Point } = ristretto255;
const Scalars = Point.Fn;

export const LEAST_THRESHOLD = 2; // with one share each holder alone would do
export const MOST_HOLDERS = 16;

/** The public key of holder `number`, f(number) * G, from the commitments alone. */
export function shareKey(commitments, number) {
  let sum = Point.ZERO;
  let power = 1n;
  for (const each of commitments) {
    sum = sum.add(Point.fromBytes(each).multiply(power));
    power = Scalars.mul(power, BigInt(number));
  }
  return sum.toBytes();
}

/** Holder's number -> the scalar by which its part enters the sum (Lagrange, at 0). */
export function weights(numbers) {
  if (new Set(numbers).size !== numbers.length) throw new RangeError("A holder stands twice in a sum.");
  return new Map(
    numbers.map((number) => {
      let [above, below] = [1n, 1n];
      for (const other of numbers) {
        if (other === number) continue;
        above = Scalars.mul(above, BigInt(other));
        below = Scalars.mul(below, Scalars.create(BigInt(other - number)));
      }
      return [number, Scalars.mul(above, Scalars.inv(below))];
    }),
  );
}

/** Bytes of a weight, as they stand in an answer. */
export function scalarBytes(weight) {
  return Scalars.toBytes(weight);
}

/**
 * What the whole key makes of the elements: the platform's part and those of t holders, a Map from
 * number to elements. Only for parts whose proofs were verified.
 */
export function summed(own, parts) {
  const scalars = weights([...parts.keys()]);
  return own.map((mine, place) => {
    let sum = Point.fromBytes(mine);
    for (const [number, theirs] of parts) {
      sum = sum.add(Point.fromBytes(theirs[place]).multiply(scalars.get(number)));
    }
    return sum.toBytes();
  });
}

/** The sum of two public keys. */
export function added(one, other) {
  return Point.fromBytes(one).add(Point.fromBytes(other)).toBytes();
}

/** Whether bytes are a canonical element other than the identity. */
export function isElement(bytes) {
  try {
    return !Point.fromBytes(bytes).equals(Point.ZERO);
  } catch {
    return false;
  }
}
