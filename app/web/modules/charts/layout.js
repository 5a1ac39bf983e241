// Places for the nodes of a graph, by springs and repulsion: the same graph gives the same picture.

const ROUNDS = { least: 40, most: 240 };
const WORK = 3_000_000; // pairs that are looked at, all rounds together
const LENGTH = 1; // of a relation at rest; the picture is scaled afterwards

/**
 * Places of `count` nodes, [x, y] each, spread most from side to side, or up and down when
 * `isTall`; `pairs` of nodes are drawn together.
 */
export function placed(count, pairs, isTall) {
  const spots = Array.from({ length: count }, (_, place) => {
    // A sunflower's seeds: spread evenly, never two on one spot.
    const turn = place * 2.399963;
    const far = LENGTH * Math.sqrt(place);
    return [far * Math.cos(turn), far * Math.sin(turn)];
  });
  const rounds = Math.min(ROUNDS.most, Math.max(ROUNDS.least, Math.round(WORK / count ** 2)));
  for (let round = 0; round < rounds; round += 1) {
    const heat = (72 / rounds) * (1 - round / rounds);
    const pushes = spots.map(([x, y]) => [-0.03 * x, -0.03 * y]);
    repel(spots, pushes);
    attract(spots, pairs, pushes);
    spots.forEach((spot, place) => {
      const strength = Math.hypot(...pushes[place]) || 1;
      const step = Math.min(heat, strength) / strength;
      spot[0] += pushes[place][0] * step;
      spot[1] += pushes[place][1] * step;
    });
  }
  return lying(spots).map(([x, y]) => (isTall ? [y, x] : [x, y]));
}

/** The same spots turned about their middle, so that they spread most from left to right. */
function lying(spots) {
  const middle = [0, 1].map((axis) => spots.reduce((sum, spot) => sum + spot[axis], 0) / spots.length);
  const away = spots.map(([x, y]) => [x - middle[0], y - middle[1]]);
  const sum = (of) => away.reduce((total, spot) => total + of(spot), 0);
  const turn = Math.atan2(2 * sum(([x, y]) => x * y), sum(([x, y]) => x * x - y * y)) / 2;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return away.map(([x, y]) => [x * cos + y * sin, y * cos - x * sin]);
}

function repel(spots, pushes) {
  for (let one = 0; one < spots.length; one += 1) {
    for (let other = one + 1; other < spots.length; other += 1) {
      const x = spots[one][0] - spots[other][0];
      const y = spots[one][1] - spots[other][1];
      const push = LENGTH / Math.max(x * x + y * y, 0.01);
      pushes[one][0] += x * push;
      pushes[one][1] += y * push;
      pushes[other][0] -= x * push;
      pushes[other][1] -= y * push;
    }
  }
}

function attract(spots, pairs, pushes) {
  for (const [one, other] of pairs) {
    const x = spots[other][0] - spots[one][0];
    const y = spots[other][1] - spots[one][1];
    const pull = Math.hypot(x, y) / LENGTH;
    pushes[one][0] += x * pull;
    pushes[one][1] += y * pull;
    pushes[other][0] -= x * pull;
    pushes[other][1] -= y * pull;
  }
}
