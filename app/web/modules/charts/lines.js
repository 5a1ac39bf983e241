// Lines over time (or over any rows in order): one column a series.

import "echarts/lib/chart/line";
import "echarts/lib/component/gridSimple";

import { axis, marked, timeAxis } from "./look.js";
import { momentsOf, numberOf } from "./tables.js";

const HEIGHT = 240;
const FEW = 40; // points up to which each is marked

export function plan([{ heads, rows }], look, { say, inNumbers, tick }) {
  const isTime = rows.every((row) => row.cells[0].times.length);
  const ordered = isTime
    ? rows.toSorted((one, other) => momentsOf(one.cells[0])[0] - momentsOf(other.cells[0])[0])
    : rows;
  const names = heads.slice(1);
  const places = ordered.map((row, index) => (isTime ? momentsOf(row.cells[0])[0] : index));
  const counts = ordered.map((row) => names.map((_, place) => numberOf(row.cells[place + 1])));
  const highest = counts.reduce((best, each, index) => (Math.max(...each) > Math.max(...counts[best]) ? index : best), 0);
  return {
    height: HEIGHT,
    option: {
      grid: { left: 4, right: 16, top: 14, bottom: 4 },
      xAxis: isTime
        ? timeAxis(look, places[0], places.at(-1), tick)
        : axis(look, { type: "category", boundaryGap: false, data: ordered.map((row) => row.cells[0].words) }),
      yAxis: axis(look, { type: "value", minInterval: 1, splitNumber: 4, axisLabel: { formatter: inNumbers } }),
      series: names.map((name, place) => {
        const mark = marked(look, place);
        return {
          type: "line",
          name,
          symbol: mark.symbol,
          symbolSize: 7,
          showSymbol: ordered.length <= FEW,
          showAllSymbol: true,
          lineStyle: { color: mark.colour, width: 2, type: mark.dash },
          itemStyle: { color: mark.colour },
          emphasis: { scale: 1.6, itemStyle: { borderColor: look.ink, borderWidth: 2 } },
          data: ordered.map((_, index) => [places[index], counts[index][place]]),
        };
      }),
    },
    legend: names.length > 1 ? names.map((words, place) => ({ words, place, ...marked(look, place) })) : [],
    items: ordered.flatMap((row, index) =>
      names.map((name, series) => ({
        words: `${row.cells[0].words}: ${inNumbers(counts[index][series])} ${name}`,
        link: row.cells[0].link,
        series,
        index,
        spot: [{ gridIndex: 0 }, [places[index], counts[index][series]]],
      })),
    ),
    summary: [
      say("chart.lines", {
        from: ordered[0].cells[0].words,
        to: ordered.at(-1).cells[0].words,
        value: Math.max(...counts[highest]),
        at: ordered[highest].cells[0].words,
      }),
    ],
  };
}
