// What happened when: one lane for each series, equal moments stacked.

import "echarts/lib/chart/line";
import "echarts/lib/chart/scatter";
import "echarts/lib/component/gridSimple";

import { lanes, marked, timeAxis } from "./look.js";
import { momentsOf } from "./tables.js";

const LANE = 72; // CSS pixels of a lane: its words and what stands on it
const SIZE = 13;
const STACK = 4; // marks below one another before they overlap

/** Columns: moment (or two, of a span), series, words (with a link, if any). */
export function plan([{ rows }], look, { say, tick }) {
  const series = [...new Set(rows.map((row) => row.cells[1].words))];
  const events = rows
    .map((row) => ({ row, moments: momentsOf(row.cells[0]), lane: series.indexOf(row.cells[1].words) }))
    .toSorted((one, other) => one.moments[0] - other.moments[0]);
  const first = events[0].moments[0];
  const last = Math.max(...events.map(({ moments }) => moments.at(-1)));
  const room = Math.max((last - first) / 30, 1_800_000); // milliseconds of air at both ends
  const within = (last - first + 2 * room) * (SIZE / look.width); // of one mark
  const tops = series.map(() => ({ at: Number.NEGATIVE_INFINITY, high: 0 }));
  for (const event of events) {
    const top = tops[event.lane];
    top.high = event.moments[0] - top.at < within ? (top.high + 1) % STACK : 0;
    top.at = event.moments[0];
    event.high = top.high;
  }
  const spans = events.filter(({ moments }) => moments.length > 1);
  return {
    height: series.length * LANE + 30,
    option: {
      grid: { left: 2, right: 12, top: 4, bottom: 24 },
      xAxis: timeAxis(look, first - room, last + room, tick, { min: first - room, max: last + room }),
      yAxis: lanes(look, series, 12),
      series: [
        {
          type: "scatter",
          data: events.map((event) => {
            const mark = marked(look, event.lane);
            return {
              value: [event.moments[0], event.lane],
              symbol: mark.symbol,
              symbolSize: SIZE,
              symbolOffset: [0, event.high * (SIZE - 3)],
              cursor: event.row.cells[2]?.link ? "pointer" : "default",
              itemStyle: { color: mark.colour, opacity: 1, borderColor: look.ground, borderWidth: 1 },
            };
          }),
          emphasis: { scale: 1.4, itemStyle: { borderColor: look.ink, borderWidth: 2 } },
        },
        ...spans.map(({ moments, lane }) => ({
          type: "line",
          silent: true,
          symbol: "none",
          lineStyle: { color: marked(look, lane).colour, width: 3 },
          data: moments.map((moment) => [moment, lane]),
        })),
      ],
    },
    legend: [],
    items: events.map((event, index) => ({
      words: event.row.cells.map((cell) => cell.words).filter(Boolean).join(" · "),
      link: event.row.cells[2]?.link ?? null,
      series: 0,
      index,
      spot: [{ gridIndex: 0 }, [event.moments[0], event.lane]],
    })),
    summary: [
      say("chart.timeline", {
        events: events.length,
        series: series.length,
        from: events[0].row.cells[0].words,
        to: events.at(-1).row.cells[0].words,
      }),
    ],
  };
}
