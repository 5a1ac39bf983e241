// What belongs together: nodes told apart by shape and colour of their kind, and their relations.

import "echarts/lib/chart/graph";

import { placed } from "./layout.js";
import { marked } from "./look.js";

const HEIGHT = { least: 380, most: 640 }; // CSS pixels
const SIZE = { least: 9, most: 18, centre: 30 };
const ROOM = 40; // things for which the least height has room
const SIDE = 64; // CSS pixels around the places of things, for their words
const ABOVE = 26;
const BELOW = 40;
const ROOMY = 120; // CSS pixels for a relation at rest, at most
const MOST = 300; // nodes drawn; all stand in the table
const FEW_RELATIONS = 14; // up to which each is written beside its line
const LABEL = 18; // characters of a node's words

/** Columns: a node, the relation, another node. A node's cell has data-node (its id), data-kind, data-centre. */
export function plan(tables, look, { say, view }) {
  const { nodes, relations, left } = read(tables.flatMap(({ rows }) => rows));
  const kinds = [...new Set(nodes.map((node) => node.kind))];
  const height = Math.min(HEIGHT.most, HEIGHT.least * Math.max(1, Math.sqrt(nodes.length / ROOM)));
  const size = Math.max(SIZE.least, SIZE.most * Math.min(1, Math.sqrt(ROOM / nodes.length)));
  const { spots, box } = fitted(
    placed(
      nodes.length,
      relations.map(({ from, to }) => [from, to]),
      look.width < height,
    ),
    look.width,
    height,
  );
  return {
    height,
    option: {
      series: [
        {
          type: "graph",
          layout: "none",
          coordinateSystem: "view",
          ...box,
          roam: "move",
          labelLayout: ({ dataType }) => ({ hideOverlap: dataType === "node" }),
          nodeScaleRatio: 0,
          ...view,
          data: nodes.map((node, place) => nodeShown(node, place, kinds, spots[place], size, look)),
          links: relations.map(({ from, to }) => ({ source: from, target: to })),
          edgeLabel: {
            show: !look.narrow && relations.length <= FEW_RELATIONS,
            color: look.soft,
            fontFamily: look.font,
            fontSize: 11,
            formatter: ({ dataIndex }) => relations[dataIndex].words,
          },
          lineStyle: { color: look.edge, width: 1.5, opacity: 1 },
          blur: { itemStyle: { opacity: 0.4 }, lineStyle: { opacity: 0.25 }, label: { opacity: 0.5 } },
          emphasis: { focus: "adjacency", lineStyle: { width: 3, color: look.ink }, itemStyle: { borderColor: look.ink, borderWidth: 3 } },
        },
      ],
    },
    legend: kinds.length > 1 ? kinds.map((words, place) => ({ words, ...marked(look, place) })) : [],
    items: nodes.map((node, index) => ({
      words: told(node, index, nodes, relations),
      link: node.link,
      series: 0,
      index,
      part: "node",
      spot: [{ seriesIndex: 0 }, spots[index]],
    })),
    summary: [
      say("chart.graph", { nodes: nodes.length, relations: relations.length }),
      ...(left ? [say("chart.left", { left })] : []),
    ],
    roam: { type: "graphRoam", seriesIndex: 0 },
    roamed: ({ series: [{ center, zoom }] }) => ({ center, zoom }),
    frames: { world: null },
  };
}

function read(rows) {
  const found = new Map();
  const relations = [];
  const node = (cell) => {
    const id = cell.node ?? cell.words;
    const known = found.get(id);
    if (known) known.isCentre ||= "centre" in cell;
    else found.set(id, { place: found.size, words: cell.words, kind: cell.kind ?? "", link: cell.link, isCentre: "centre" in cell });
    return found.get(id).place;
  };
  for (const { cells: [one, relation, other] } of rows) {
    const from = node(one);
    if (other?.words) relations.push({ from, to: node(other), words: relation.words });
  }
  return {
    nodes: [...found.values()].slice(0, MOST),
    relations: relations.filter(({ from, to }) => from < MOST && to < MOST),
    left: Math.max(0, found.size - MOST),
  };
}

/** Spots in CSS pixels of the picture, not distorted, and the box in which the library then finds them. */
function fitted(spots, width, height) {
  const [xs, ys] = [0, 1].map((axis) => spots.map((spot) => spot[axis]));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [wide, high] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const inside = { width: width - 2 * SIDE, height: height - ABOVE - BELOW };
  const scale = Math.min(inside.width / wide, inside.height / high, ROOMY);
  const start = [SIDE + (inside.width - wide * scale) / 2, ABOVE + (inside.height - high * scale) / 2];
  const flat = (size) => (size ? 0 : 1); // the library gives a flat box a size of two
  return {
    spots: spots.map(([x, y]) => [start[0] + (x - left) * scale, start[1] + (y - top) * scale]),
    box: {
      left: start[0] - flat(wide),
      top: start[1] - flat(high),
      width: wide * scale || 2,
      height: high * scale || 2,
    },
  };
}

function nodeShown(node, place, kinds, [x, y], size, look) {
  const mark = marked(look, kinds.indexOf(node.kind));
  return {
    id: String(place),
    name: node.words,
    x,
    y,
    symbol: mark.symbol,
    symbolSize: node.isCentre ? SIZE.centre : size,
    cursor: node.link ? "pointer" : "default",
    itemStyle: { color: mark.colour, borderColor: node.isCentre ? look.ink : look.ground, borderWidth: node.isCentre ? 2 : 1 },
    label: {
      show: true,
      position: "bottom",
      color: look.ink,
      fontFamily: look.font,
      fontSize: 12,
      fontWeight: node.isCentre ? "bold" : "normal",
      textBorderColor: look.ground,
      textBorderWidth: 3,
      formatter: () => (node.words.length > LABEL ? `${node.words.slice(0, LABEL - 1)}…` : node.words),
    },
  };
}

function told(node, place, nodes, relations) {
  const others = relations.flatMap(({ from, to, words }) => {
    const other = from === place ? to : to === place ? from : null;
    return other === null ? [] : [words ? `${words}: ${nodes[other].words}` : nodes[other].words];
  });
  const itself = node.kind ? `${node.kind}: ${node.words}` : node.words;
  return [itself, ...others].join(" · ");
}
