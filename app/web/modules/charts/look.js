// The look of a chart is the page's: colours of its style sheet, and its font.

import { marksBetween } from "./moments.js";

const SERIES = 6;
const PLUS = "M5 1h4v4h4v4h-4v4h-4v-4h-4v-4h4Z";
// The library's names of symbols, and their outlines in a square of 14 as SVG writes paths.
const SYMBOLS = [
  ["circle", "M7 1a6 6 0 1 1 0 12a6 6 0 1 1 0-12Z"],
  ["rect", "M1 1h12v12h-12Z"],
  ["triangle", "M7 1l6 12h-12Z"],
  ["diamond", "M7 0l7 7l-7 7l-7-7Z"],
  ["roundRect", "M4 1h6a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-6a3 3 0 0 1-3-3v-6a3 3 0 0 1 3-3Z"],
  [`path://${PLUS}`, PLUS],
];
const DASHES = ["solid", [6, 4], [2, 3], [10, 3, 2, 3], [4, 2], [1, 4]];
const SHARP = 2; // device pixels of a tile for each of its own
const TILE = 8; // CSS pixels of a pattern's side
// Strokes over a tile, so that a series is told without its colour: pairs of points.
const STROKES = [
  [],
  [[0, 8, 8, 0], [-2, 2, 2, -2], [6, 10, 10, 6]],
  [[4, 2, 4, 6], [2, 4, 6, 4]],
  [[0, 4, 8, 4]],
  [[0, 0, 8, 8], [-2, 6, 2, 10], [6, -2, 10, 2]],
  [[4, 0, 4, 8]],
];

/** Colours, symbols and patterns as the figure's style sheet has them now. */
export function lookOf(figure, width) {
  const style = getComputedStyle(figure);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    ink: colour("--ink"),
    soft: colour("--ink-soft"),
    ground: colour("--chart-ground"),
    rule: colour("--rule"),
    edge: colour("--rule-strong"),
    land: colour("--chart-land"),
    shore: colour("--chart-shore"),
    visited: colour("--chart-visited"),
    font: style.fontFamily.replaceAll('"', "'"), // the library writes it into attributes unescaped
    width,
    narrow: width < 480,
    colours: Array.from({ length: SERIES }, (_, place) => colour(`--chart-${place + 1}`)),
  };
}

/** What tells the series of a place from its neighbours: {colour, symbol, shape, dash}. */
export function marked(look, place) {
  const [symbol, shape] = SYMBOLS[place % SYMBOLS.length];
  return {
    colour: look.colours[place % look.colours.length],
    symbol,
    shape,
    dash: DASHES[place % DASHES.length],
  };
}

/** A canvas to fill the areas of a series with: its colour under its own strokes. */
export function tileOf(look, place) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = TILE * SHARP;
  const pen = tile.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.fillStyle = marked(look, place).colour;
  pen.fillRect(0, 0, TILE, TILE);
  pen.strokeStyle = look.ground;
  for (const [fromX, fromY, toX, toY] of STROKES[place % STROKES.length]) {
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
    pen.stroke();
  }
  return tile;
}

/** The same as a fill of the library. */
export function filled(look, place) {
  if (!STROKES[place % STROKES.length].length) return marked(look, place).colour;
  return {
    image: tileOf(look, place),
    repeat: "repeat",
    imageWidth: TILE * SHARP, // told, so that nothing loads the tile to measure it
    imageHeight: TILE * SHARP,
    scaleX: 1 / SHARP,
    scaleY: 1 / SHARP,
  };
}

/** The part of an option that all charts share. */
export function common(look) {
  return {
    animation: false,
    useUTC: true,
    backgroundColor: "transparent",
    textStyle: { fontFamily: look.font, color: look.ink, fontSize: 13 },
  };
}

/** Axes that read as the page's tables do: no box, thin rules, soft figures. */
export function axis(look, more) {
  const { axisLabel = {}, axisTick = {}, ...rest } = more;
  return {
    axisLine: { show: false },
    axisTick: { show: false, ...axisTick },
    splitLine: { show: rest.type !== "category", lineStyle: { color: look.rule } },
    axisLabel: { color: look.soft, fontFamily: look.font, fontSize: 12, hideOverlap: true, ...axisLabel },
    ...rest,
  };
}

/** An axis of time, marked evenly; `tick` says how a span's marks are written. */
export function timeAxis(look, first, last, tick, more = {}) {
  const customValues = marksBetween(first, last, look.narrow ? 4 : 8);
  return axis(look, {
    type: "time",
    axisLine: { show: true, onZero: false, lineStyle: { color: look.edge } },
    axisTick: { customValues },
    axisLabel: { customValues, formatter: tick(first, last) },
    ...more,
  });
}

/** A category axis whose words stand above their lane, `above` CSS pixels from its middle. */
export function lanes(look, labels, above = 10) {
  return axis(look, {
    type: "category",
    inverse: true,
    data: labels,
    axisLabel: {
      inside: true,
      interval: 0,
      hideOverlap: false,
      margin: 0,
      color: look.ink,
      verticalAlign: "bottom",
      padding: [0, 0, above, 0],
      width: look.width - 24,
      overflow: "truncate",
    },
  });
}
