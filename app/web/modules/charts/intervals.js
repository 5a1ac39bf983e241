// Estimates with what they lie within: a mark, and a bar from the lowest to the highest.

import "echarts/lib/chart/line";
import "echarts/lib/chart/scatter";
import "echarts/lib/component/gridSimple";

import { axis, lanes } from "./look.js";
import { numberOf } from "./tables.js";

const ROW = 54; // CSS pixels of a row: its words and its bar

/** Columns: words, low, estimate, high; or words and a cell with data-low, data-value, data-high. */
export function plan([{ rows }], look, { say, inNumbers, percent, figure }) {
  const isShare = figure.dataset.format === "percent";
  const shown = isShare ? percent : inNumbers;
  const labels = rows.map((row) => row.cells[0].words);
  const found = rows.map(({ cells: [, ...cells] }) =>
    cells.length === 1
      ? ["low", "value", "high"].map((name) => numberOf(cells[0], name))
      : cells.slice(0, 3).map((cell) => numberOf(cell)),
  );
  const widest = found.reduce((most, [low, , high], index) => (high - low > found[most][2] - found[most][0] ? index : most), 0);
  return {
    height: rows.length * ROW + 30,
    option: {
      grid: { left: 2, right: 24, top: 4, bottom: 24 },
      xAxis: axis(look, { type: "value", ...(isShare ? { min: 0, max: 1 } : {}), axisLabel: { formatter: shown } }),
      yAxis: lanes(look, labels, 14),
      series: [
        {
          type: "line",
          silent: true,
          symbol: "rect",
          symbolSize: [2, 16],
          showAllSymbol: true,
          lineStyle: { color: look.colours[1], width: 3 },
          itemStyle: { color: look.colours[1] },
          data: found.flatMap(([low, , high], index) => [[low, index], [high, index], [null, null]]),
        },
        {
          type: "scatter",
          symbol: "diamond",
          symbolSize: 14,
          cursor: "default",
          itemStyle: { color: look.colours[0], opacity: 1, borderColor: look.ground, borderWidth: 1 },
          emphasis: { scale: 1.5, itemStyle: { borderColor: look.ink, borderWidth: 2 } },
          data: found.map(([, value], index) => [value, index]),
        },
      ],
    },
    legend: [],
    items: found.map(([low, value, high], index) => ({
      words: say("chart.interval", { label: labels[index], value: shown(value), low: shown(low), high: shown(high) }),
      link: rows[index].cells[0].link,
      series: 1,
      index,
      spot: [{ gridIndex: 0 }, [value, index]],
    })),
    summary: [
      say("chart.intervals", {
        rows: rows.length,
        label: labels[widest],
        low: shown(found[widest][0]),
        high: shown(found[widest][2]),
      }),
    ],
  };
}
