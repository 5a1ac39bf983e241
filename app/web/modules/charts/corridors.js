// Ways between countries, drawn over outlines that the platform serves itself: nothing from outside.

import { registerMap } from "echarts/core";
import "echarts/lib/chart/lines";
import "echarts/lib/chart/scatter";
import "echarts/lib/component/geo";

import { UnreadableTableError, numberOf } from "./tables.js";
import { END, areaOf, fitting, framed, outlines } from "./world.js";

const WIDEST = 9; // CSS pixels of the busiest corridor
const THINNEST = 1.5;

/** What must be there before `plan`: the outlines, fetched once; rejects when they cannot be had. */
export async function ready() {
  const { geoJSON, centres } = await outlines();
  registerMap("countries", { geoJSON });
  return centres;
}

/** Columns: from and to (cells with data-country, ISO 3166-1 alpha-2), count. */
export function plan([{ rows }], look, { say, inNumbers, prepared: centres, view }) {
  const ways = rows.map((row) => ({
    row,
    from: endOf(row.cells[0], centres),
    to: endOf(row.cells[1], centres),
    count: numberOf(row.cells[2]),
  }));
  const drawn = ways.filter(({ from, to }) => from.spot && to.spot);
  const left = ways.length - drawn.length;
  const most = Math.max(...ways.map(({ count }) => count));
  const busiest = ways.find(({ count }) => count === most);
  const ends = new Map(drawn.flatMap(({ from, to }) => [[from.code, from], [to.code, to]]));
  const height = Math.round(Math.min(460, look.width * 0.62));
  const width = (count) => THINNEST + (WIDEST - THINNEST) * Math.sqrt(count / most);
  const between = drawn.filter(({ from, to }) => from.code !== to.code);
  const inside = drawn.filter(({ from, to }) => from.code === to.code);
  const all = [...ends.values()].map(({ spot }) => spot);
  return {
    height,
    option: {
      geo: {
        map: "countries",
        nameProperty: "code",
        aspectScale: 1,
        roam: "move",
        silent: true,
        ...areaOf(look.width, height),
        ...(view ?? fitting(all, look.width, height)),
        itemStyle: { areaColor: look.land, borderColor: look.shore, borderWidth: 0.6 },
        regions: [...ends.keys()].map((name) => ({ name, itemStyle: { areaColor: look.visited, borderColor: look.edge } })),
      },
      series: [
        waysShown(between, look, width),
        endsShown(ends, look),
        {
          type: "scatter",
          coordinateSystem: "geo",
          symbol: "circle",
          cursor: "default",
          emphasis: { itemStyle: { borderColor: look.ink } },
          data: inside.map(({ from, count }) => ({
            value: from.spot,
            symbolSize: 18 + width(count),
            itemStyle: { color: "transparent", borderColor: look.colours[1], borderWidth: width(count) },
          })),
        },
      ],
    },
    legend: [],
    items: drawn.map((way) => ({
      words: `${way.from.words} → ${way.to.words}: ${inNumbers(way.count)}`,
      link: way.row.cells[0].link,
      series: way.from.code === way.to.code ? 2 : 0,
      index: (way.from.code === way.to.code ? inside : between).indexOf(way),
      spot: [{ geoIndex: 0 }, [0, 1].map((axis) => (way.from.spot[axis] + way.to.spot[axis]) / 2)],
    })),
    summary: [
      say("chart.corridors", { rows: ways.length, from: busiest.from.words, to: busiest.to.words, value: most }),
      ...(left ? [say("chart.nowhere", { left })] : []),
    ],
    roam: { type: "geoRoam", componentType: "geo", geoIndex: 0 },
    roamed: ({ geo: [{ center, zoom }] }) => ({ center, zoom }),
    frames: { world: framed("world", look.width, height), benelux: framed("benelux", look.width, height) },
  };
}

function endOf(cell, centres) {
  const code = cell?.country?.toUpperCase();
  if (!/^[A-Z]{2}$/.test(code ?? "")) throw new UnreadableTableError(`No country stands in “${cell?.words}”.`);
  return { code, words: cell.words, spot: centres.get(code) ?? null };
}

function waysShown(between, look, width) {
  return {
    type: "lines",
    zlevel: 0,
    coordinateSystem: "geo",
    symbol: ["none", "arrow"],
    cursor: "default",
    lineStyle: { color: look.colours[1], opacity: 0.85, curveness: 0.25 },
    emphasis: { lineStyle: { color: look.ink, opacity: 1 } },
    data: between.map(({ from, to, count }) => ({
      coords: [from.spot, to.spot],
      value: count,
      symbolSize: 7 + width(count),
      lineStyle: { width: width(count) },
    })),
  };
}

function endsShown(ends, look) {
  return {
    type: "scatter",
    coordinateSystem: "geo",
    silent: true,
    symbol: "circle",
    symbolSize: END,
    itemStyle: { color: look.ground, borderColor: look.ink, borderWidth: 2 },
    labelLayout: { hideOverlap: true },
    label: {
      show: true,
      position: "bottom",
      color: look.ink,
      fontFamily: look.font,
      fontSize: 12,
      textBorderColor: look.ground,
      textBorderWidth: 3,
      formatter: ({ name }) => ends.get(name).words,
    },
    data: [...ends.values()].map(({ code, spot }) => ({ name: code, value: spot })),
  };
}
