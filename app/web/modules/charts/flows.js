// Flows from left to right, as wide as what they carry.

import "echarts/lib/chart/sankey";

import { marked } from "./look.js";
import { numberOf } from "./tables.js";

const NODE = 44; // CSS pixels for a node of the fullest side

/** Columns: from, to, value. What would run in a circle is drawn from one side to the other. */
export function plan([{ rows }], look, { say, inNumbers }) {
  const flows = rows.map((row) => ({
    row,
    from: row.cells[0].words,
    to: row.cells[1].words,
    value: numberOf(row.cells[2]),
  }));
  const apart = runsInCircle(flows) ? ["→", "←"] : ["", ""];
  const nodes = [...new Set(flows.flatMap(({ from, to }) => [apart[0] + from, apart[1] + to]))];
  const largest = flows.toSorted((one, other) => other.value - one.value)[0];
  const name = (node) => (apart[0] ? node.slice(1) : node);
  const sides = [new Set(flows.map(({ from }) => from)).size, new Set(flows.map(({ to }) => to)).size];
  return {
    height: Math.max(160, Math.max(...sides) * NODE),
    option: {
      series: [
        {
          type: "sankey",
          left: 4,
          right: look.narrow ? 96 : 170,
          top: 8,
          bottom: 8,
          draggable: false,
          nodeWidth: 12,
          nodeGap: 14,
          emphasis: { focus: "adjacency" },
          label: {
            color: look.ink,
            fontFamily: look.font,
            fontSize: 13,
            width: look.narrow ? 88 : 160,
            overflow: "truncate",
            formatter: ({ name: node }) => name(node),
          },
          lineStyle: { color: "source", opacity: 0.4, curveness: 0.5 },
          data: nodes.map((node, place) => ({
            name: node,
            itemStyle: { color: marked(look, place).colour, borderColor: look.edge, borderWidth: 1 },
          })),
          links: flows.map(({ from, to, value }) => ({ source: apart[0] + from, target: apart[1] + to, value })),
        },
      ],
    },
    legend: [],
    items: flows.map(({ row, from, to, value }, index) => ({
      words: `${from} → ${to}: ${inNumbers(value)}`,
      link: row.cells[0].link,
      series: 0,
      index,
      part: "edge",
    })),
    summary: [say("chart.flows", { rows: flows.length, from: largest.from, to: largest.to, value: largest.value })],
  };
}

function runsInCircle(flows) {
  const after = Map.groupBy(flows, ({ from }) => from);
  const done = new Set();
  const onTheWay = new Set();
  const comesBack = (node) => {
    if (onTheWay.has(node)) return true;
    if (done.has(node)) return false;
    onTheWay.add(node);
    const found = (after.get(node) ?? []).some(({ to }) => comesBack(to));
    onTheWay.delete(node);
    done.add(node);
    return found;
  };
  return [...after.keys()].some(comesBack);
}
