// Coarse shipment fields from what people write: weight and value bands, HS chapter, days.
// The counterpart of postern/bands.py. Amounts end here: the platform never learns one.

const NUMBER = /[0-9][0-9.,' \u00a0\u202f\u2019]*/g;
const GROUPING = /[' \u00a0\u202f\u2019]/g;
const LETTERS = /[^0-9.,' \u00a0\u202f\u2019+-]+/g;
const ISO_DAY = /^([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ][^\n]*)?$/;
const EUROPEAN_DAY = /^([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})$/;
const GROUP = 3; // digits between separators of thousands
const LAST_CHAPTER = 99;

const WEIGHTS = [[100, "0-100"], [500, "100-500"], [1000, "500-1000"], [2000, "1000-2000"], [5000, "2000-5000"], [20000, "5000-20000"]];
const VALUES = [[0, "0"], [22, "0-22"], [150, "22-150"], [1000, "150-1000"]];
const GRAMS = new Map([["g", 1], ["kg", 1000]]);
const WEIGHT_UNITS = new Map([["g", "g"], ["gr", "g"], ["gram", "g"], ["grams", "g"], ["grammes", "g"], ["kg", "kg"]]);
const CURRENCY_SIGNS = new Map([["€", "EUR"], ["euro", "EUR"], ["euros", "EUR"], ["$", "USD"], ["£", "GBP"]]);

/** [band, ""] of a weight, or [null, flag]; `unit` is g, kg or "" and gives way to one beside it. */
export function weightBand(text, unit) {
  const written = unitLetters(text);
  const known = written ? (WEIGHT_UNITS.get(written) ?? "?") : unit;
  if (!GRAMS.has(known)) return [null, known ? "weight_unit_unknown" : "weight_without_unit"];
  const amount = readAmount(text, known === "kg");
  if (amount === null) return [null, "weight_unreadable"];
  const grams = amount * GRAMS.get(known);
  return [WEIGHTS.find(([most]) => grams <= most)?.[1] ?? "20000+", ""];
}

/** [band, ""] of a declared value in euro, or [null, flag]. */
export function valueBand(text, currency) {
  const written = unitLetters(text);
  const known = written ? (CURRENCY_SIGNS.get(written) ?? written.toUpperCase()) : currency.toUpperCase();
  const amount = readAmount(text, false);
  if (amount === null) return [null, "value_unreadable"];
  if (!amount) return ["0", ""];
  if (!known) return [null, "value_without_currency"];
  if ((CURRENCY_SIGNS.get(known.toLowerCase()) ?? known) !== "EUR") return [null, "value_not_in_euro"];
  return [VALUES.find(([most]) => amount <= most)?.[1] ?? "1000+", ""];
}

/** [two digits, ""] of an HS chapter, or [null, flag]. */
export function hsChapter(text) {
  const digits = text.replace(/[ .]/g, "");
  if (!/^[0-9]{2,12}$/.test(digits) || digits.length % 2) return [null, "hs_unreadable"];
  const chapter = digits.slice(0, 2);
  return Number(chapter) >= 1 && Number(chapter) <= LAST_CHAPTER ? [chapter, ""] : [null, "hs_unreadable"];
}

/** A day as ISO 8601, from 2026-11-25, 20261125, 25/11/2026 and the like; null otherwise. */
export function day(text) {
  const iso = ISO_DAY.exec(text);
  if (iso) return dayOf(iso[1], iso[2], iso[3]);
  const european = EUROPEAN_DAY.exec(text);
  return european ? dayOf(european[3], european[2], european[1]) : null;
}

/** The day so many days after an ISO day. */
export function daysAfter(iso, count) {
  const moment = new Date(`${iso}T00:00:00Z`);
  moment.setUTCDate(moment.getUTCDate() + count);
  return moment.toISOString().slice(0, 10);
}

/** A day as ISO 8601, from the digits of its parts, four of the year; null if there is none. */
export function dayOf(year, month, dayOfMonth) {
  const moment = new Date(0);
  moment.setUTCFullYear(Number(year), Number(month) - 1, Number(dayOfMonth));
  const isReal =
    Number(year) > 0 &&
    moment.getUTCMonth() === Number(month) - 1 &&
    moment.getUTCDate() === Number(dayOfMonth);
  return isReal ? `${year}-${month.padStart(2, "0")}-${dayOfMonth.padStart(2, "0")}` : null;
}

/** What stands beside an amount, such as kg or €, in small letters. */
export function unitLetters(text) {
  return (text.match(LETTERS) ?? []).join("").toLowerCase();
}

/** An amount with a comma or a point for decimals; before exactly three digits, `three` decides. */
export function readAmount(text, three) {
  if (text.includes("-")) return null;
  const found = text.match(NUMBER) ?? [];
  if (found.length !== 1) return null;
  const plain = found[0].replace(GROUPING, "");
  const last = Math.max(plain.lastIndexOf(","), plain.lastIndexOf("."));
  if (last < 0) return Number(plain);
  const mark = plain[last];
  const after = plain.slice(last + 1);
  const other = mark === "." ? "," : ".";
  const isAlone = plain.split(mark).length === 2;
  if (isAlone && (plain.includes(other) || after.length !== GROUP || three)) {
    return Number(plain.replaceAll(other, "").replace(mark, ".").replace(/\.+$/, "") || "0");
  }
  const groups = [...plain.slice(0, last + 1).replaceAll(other, mark).split(mark).slice(1, -1), after];
  if (groups.some((group) => group.length !== GROUP)) return null;
  return Number(plain.replaceAll(mark, "").replaceAll(other, ""));
}
