// Rings of coordinates, in degrees, that cross the antimeridian.

/** The ring as it runs on, beyond 180 degrees east or west, instead of jumping to the other side. */
export function unrolled(ring) {
  let [turns, before] = [0, ring[0][0]];
  return ring.map(([x, y]) => {
    if (Math.abs(x - before) > 180) turns += x < before ? 360 : -360;
    before = x;
    return [x + turns, y];
  });
}

/** A ring as it is, or its parts east and west of the antimeridian. */
export function parted(ring) {
  const whole = unrolled(ring);
  if (whole.every(([x]) => Math.abs(x) <= 180)) return [ring];
  return [-360, 0, 360]
    .map((shift) => whole.map(([x, y]) => [x + shift, y]))
    .map((moved) => cut(cut(moved, -180, 1), 180, -1))
    .filter((part) => part.length > 3);
}

/** The part of a ring on one side of a meridian (Sutherland and Hodgman, 1974). */
function cut(ring, meridian, side) {
  const isInside = ([x]) => (x - meridian) * side >= 0;
  return ring.flatMap((spot, place) => {
    const before = ring.at(place - 1);
    if (isInside(spot) === isInside(before)) return isInside(spot) ? [spot] : [];
    const part = (meridian - before[0]) / (spot[0] - before[0]);
    const crossing = [meridian, before[1] + part * (spot[1] - before[1])];
    return isInside(spot) ? [crossing, spot] : [crossing];
  });
}
