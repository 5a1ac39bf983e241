// Reads the table of a figure: it is both what a chart draws and its form in words.
// A cell's machine value stands in `data-*` or <time>; its text is what a person reads.

export class UnreadableTableError extends Error {
  constructor(message) {
    super(message);
    this.name = "UnreadableTableError";
  }
}

/** Heads and rows of every table of a figure, without foot: [{heads, rows}], cells as below. */
export function readTables(figure) {
  const chosen = figure.dataset.columns?.split(",").map(Number);
  return [...figure.querySelectorAll("table")].map((table) => ({
    heads: picked([...(table.tHead?.rows[0]?.cells ?? [])], chosen).map(words),
    rows: [...table.tBodies]
      .flatMap((body) => [...body.rows])
      .filter((row) => !("chartSkip" in row.dataset))
      .map((row) => ({ at: row, cells: picked([...row.cells], chosen).map(readCell) })),
  }));
}

/** The number of a cell; without `data-value` its text must be plain digits. */
export function numberOf(cell, name = "value") {
  const written = cell?.[name] ?? (name === "value" ? cell?.words : undefined);
  const value = written === undefined || written.trim() === "" ? Number.NaN : Number(written);
  if (!Number.isFinite(value)) throw new UnreadableTableError(`No number stands in “${cell?.words}”.`);
  return value;
}

/** Milliseconds of a cell's moments: one, or the first and the last of a span. */
export function momentsOf(cell) {
  const moments = (cell?.times ?? []).map((written) => Date.parse(written));
  if (!moments.length || moments.some(Number.isNaN)) {
    throw new UnreadableTableError(`No moment stands in “${cell?.words}”.`);
  }
  return moments;
}

function readCell(cell) {
  const link = cell.querySelector("a[href]");
  return {
    words: words(cell),
    link: link?.href ?? null,
    times: [...cell.querySelectorAll("time[datetime]")].map((time) => time.dateTime),
    ...cell.dataset,
  };
}

function picked(cells, chosen) {
  return chosen ? chosen.map((place) => cells[place]).filter(Boolean) : cells;
}

function words(cell) {
  return cell.textContent.replaceAll(/\s+/g, " ").trim();
}
