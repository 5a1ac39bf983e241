// Bars, one or several a row, with their words above them: no label is cut on a narrow screen.

import "echarts/lib/chart/bar";
import "echarts/lib/component/gridSimple";

import { axis, filled, lanes, marked } from "./look.js";
import { numberOf } from "./tables.js";

const ROW = 46; // CSS pixels of a row: its words and its bar
const THICK = 14;

/** `bars` draws the second column, `stacked` all that follow the first. */
export function plan([{ heads, rows }], look, { say, inNumbers, kind }) {
  const columns = kind === "stacked" ? heads.slice(1) : heads.slice(1, 2);
  const counts = rows.map((row) => columns.map((_, place) => numberOf(row.cells[place + 1])));
  const totals = counts.map((each) => each.reduce((sum, count) => sum + count, 0));
  const labels = rows.map((row) => row.cells[0].words);
  const most = totals.indexOf(Math.max(...totals));
  return {
    height: rows.length * ROW + 16,
    option: {
      grid: { left: 2, right: 64, top: 4, bottom: 4 },
      xAxis: axis(look, { type: "value", axisLabel: { show: false }, splitLine: { show: false } }),
      yAxis: lanes(look, labels),
      series: columns.map((name, place) => ({
        type: "bar",
        name,
        stack: "all",
        barWidth: THICK,
        cursor: "default",
        data: counts.map((each) => each[place]),
        itemStyle: { color: filled(look, place), borderColor: look.ground, borderWidth: columns.length > 1 ? 1 : 0 },
        emphasis: { itemStyle: { borderColor: look.ink, borderWidth: 2 } },
        label: {
          show: place === columns.length - 1,
          position: "right",
          color: look.ink,
          fontFamily: look.font,
          formatter: ({ dataIndex }) => inNumbers(totals[dataIndex]),
        },
      })),
    },
    legend: columns.length > 1 ? columns.map((words, place) => ({ words, place, isArea: true, ...marked(look, place) })) : [],
    items: rows.flatMap((row, index) =>
      columns.map((name, place) => ({
        words: `${labels[index]}: ${inNumbers(counts[index][place])}${columns.length > 1 ? ` ${name}` : ""}`,
        link: row.cells[0].link,
        series: place,
        index,
        spot: [{ gridIndex: 0 }, [counts[index].slice(0, place + 1).reduce((sum, count) => sum + count, 0), index]],
      })),
    ),
    summary: [say("chart.bars", { rows: rows.length, most: labels[most], value: totals[most] })],
  };
}
