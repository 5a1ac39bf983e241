// Where the marks of an axis of time stand: on hours, days, weeks, months or years, evenly.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MONTH = 30.4 * DAY;
const STEPS = [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120];
const MONDAY = 4 * DAY; // 1970-01-05

/** At most `most` moments between two, as milliseconds; months and longer steps begin on the first day. */
export function marksBetween(first, last, most) {
  const wished = (last - first) / most;
  const step = STEPS.find((each) => each >= wished);
  if (!step) return months(first, last, MONTHS.find((each) => each * MONTH >= wished) ?? 240);
  const start = step >= 7 * DAY ? MONDAY : 0;
  const marks = [];
  for (let at = Math.ceil((first - start) / step) * step + start; at <= last; at += step) marks.push(at);
  return marks;
}

function months(first, last, step) {
  const begun = new Date(first);
  const marks = [];
  let month = Math.ceil((begun.getUTCFullYear() * 12 + begun.getUTCMonth()) / step) * step;
  for (;;) {
    const at = Date.UTC(Math.floor(month / 12), month % 12);
    if (at > last) return marks;
    if (at >= first) marks.push(at);
    month += step;
  }
}
