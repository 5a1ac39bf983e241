// A file of reports, as the worker holds it: read once, understood under chosen columns, its wrong
// rows given back in the form in which the file came.

import { columnsOf, recognise, rowOf } from "./columns.js";
import { readCsv, writtenCsv } from "./csv_rows.js";
import { FaultError, fault, filled, stripped } from "./faults.js";
import { MappedColumns } from "./mapped_columns.js";
import { readRow } from "./rows.js";
import { SheetError } from "./sheet_errors.js";
import { isTooLong, readXlsx, writtenXlsx } from "./xlsx.js";

export const MOST_ROWS = 20_000;
const MOST_COLUMNS = 200;
const LARGEST = 20_000_000; // bytes
const OWN_COLUMNS = ["postern_line", "postern_field", "postern_reason", "postern_remedy"];
const XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const KEEPS_ZEROS = /(?:^|_)(?:postcode|phone|item_id|hs|house_number)$/; // fields that a number spoils
const NAMING = new Set(["note", "goods_origin"]); // fields that alone say nothing that can be sent

/** A file; `header` are its headings, `records` its rows, `warnings` [{code, names}] about the whole. */
export class Sheet {
  constructor(name, bytes) {
    if (bytes.length > LARGEST) throw new SheetError("too-large");
    this.name = name;
    const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
    if (bytes[0] === 0xd0 && bytes[1] === 0xcf) throw new SheetError("old-excel");
    this.form = isZip ? "xlsx" : "csv";
    this.warnings = [];
    const [header, ...records] = isZip ? this.#ofWorkbook(bytes) : this.#ofCsv(bytes);
    if (!header || !header.cells.some((cell) => stripped(cell))) throw new SheetError("empty");
    if (header.fault) throw new SheetError("header-fault");
    if (header.cells.length > MOST_COLUMNS) throw new SheetError("too-many-columns");
    if (records.length > MOST_ROWS) throw new SheetError("too-many-rows");
    this.header = header.cells;
    this.records = records;
    if (isZip) this.#fitted();
  }

  /** What a person chooses from: {form, name, rows, columns: [{heading, example, field, unit}], warnings}. */
  described() {
    return {
      form: this.form,
      name: this.name,
      rows: this.records.length,
      columns: this.header.map((heading, place) => ({
        heading: stripped(heading),
        example: this.#exampleOf(place),
        ...recognise(stripped(heading)),
      })),
      warnings: this.warnings,
    };
  }

  /** The columns under an import mapping: [{heading, example, field, item, isOwn}] in the file's order. */
  mapped(mapping) {
    return new MappedColumns(this.header, mapping).columns
      .toSorted((one, other) => one.place - other.place)
      .map(({ heading, place, line, isOwn }) => ({
        heading,
        example: this.#exampleOf(place),
        field: line.field,
        item: line.item ?? "",
        isOwn,
      }));
  }

  /**
   * Every row under columns: {places, twice, isUsable, lines: [{record, read, faults}], doubts, tally}.
   *
   * `doubts` are [{code, field, count}] of numbers that may have lost digits. With the name of an
   * import `mapping` that decides instead of `chosen`, and `tally` says what it left out.
   */
  understood(chosen, reading, mapping = "") {
    if (mapping) return this.#understoodBy(new MappedColumns(this.header, mapping), reading);
    const { places, units, twice } = columnsOf(this.header, chosen);
    const isUsable = !twice.length && Object.keys(places).some((field) => !NAMING.has(field));
    if (!isUsable) return { places, twice, isUsable, lines: [], doubts: [], tally: null };
    const under = { ...reading, units: { ...reading.units, ofColumns: units } };
    const pairs = Object.entries(places);
    const lines = this.records.map((record) => this.#line(record, pairs, (cells) => rowOf(places, cells), under));
    return { places, twice, isUsable, lines, doubts: this.#doubts(pairs), tally: null };
  }

  #understoodBy(columns, reading) {
    const { pairs, isUsable, tally } = columns;
    const places = Object.fromEntries(pairs.toReversed()); // the first column of a field is named
    if (!isUsable) return { places, twice: [], isUsable, lines: [], doubts: [], tally };
    const lines = this.records.map((record) => this.#line(record, pairs, (cells) => columns.read(cells), reading));
    return { places, twice: [], isUsable, lines, doubts: this.#doubts(pairs), tally };
  }

  #exampleOf(place) {
    return this.records.map((record) => stripped(record.cells[place] ?? "")).find(Boolean) ?? "";
  }

  /** Wrong rows with their faults, as bytes of the form of the file. `words` translates sentences. */
  written(refused, words, headingOf) {
    const own = new Set(OWN_COLUMNS);
    const kept = this.header.map((_, place) => place).filter((place) => !own.has(stripped(this.header[place])));
    const rows = [[...kept.map((place) => this.header[place]), ...OWN_COLUMNS]];
    for (const { record, faults } of refused) {
      const cells = kept.map((place) => record.cells[place] ?? "");
      const beyond = record.cells.slice(this.header.length);
      // Too many cells: the last one keeps the rest, so that nothing is lost.
      if (beyond.length && kept.length) cells[cells.length - 1] = [cells.at(-1), ...beyond].join(this.delimiter ?? ";");
      const told = (part) => faults.map((each) => filled(each[part], each.names, words)).join(" / ");
      const fields = faults.map((each) => headingOf(each.field)).join(" / ");
      rows.push([...cells, String(record.line), fields, told("reason"), told("remedy")]);
    }
    const stem = this.name.replace(/\.[^.]*$/, "");
    if (this.form === "xlsx") {
      return { name: `${stem}.rejected.xlsx`, type: XLSX_TYPE, bytes: writtenXlsx(rows) };
    }
    return { name: `${stem}.rejected.csv`, type: "text/csv", bytes: writtenCsv(rows, this.delimiter) };
  }

  #ofCsv(bytes) {
    const { encoding, isGuessed, delimiter, records } = readCsv(bytes);
    this.delimiter = delimiter;
    if (isGuessed) this.#warn("guessed", { encoding });
    const width = records[0]?.cells.length ?? 0;
    for (const record of records) {
      if (record.fault === null && record.cells.length !== width) record.fault = unlike(record.cells.length, width);
    }
    return records;
  }

  #ofWorkbook(bytes) {
    const { sheet, others, records, merged, formulas } = readXlsx(bytes);
    const found = records
      .filter((record) => record.cells.some((cell) => stripped(cell)) || Object.keys(record.errors).length)
      .map((record, number) => ({ ...record, number, fault: null }));
    if (others > 0) this.#warn("other-sheets", { sheet, num: others });
    if (formulas) this.#warn("formulas", { num: formulas });
    const [header] = found;
    const over = merged.filter((each) => header && each.row <= header.line && each.lastRow >= header.line && each.to > each.from);
    if (over.length) this.#warn("merged-header", { heading: header.cells[over[0].from] || String(over[0].from + 1) });
    return found;
  }

  /** Rows of a workbook end with their last cell: all become as wide as the header. */
  #fitted() {
    while (this.header.length && !stripped(this.header.at(-1))) this.header.pop();
    const width = this.header.length;
    for (const record of this.records) {
      while (record.cells.length > width && !stripped(record.cells.at(-1))) record.cells.pop();
      if (record.cells.length > width) record.fault = unlike(record.cells.length, width);
      while (record.cells.length < width) record.cells.push("");
    }
  }

  #line(record, pairs, fieldsOf, reading) {
    if (record.fault) return { record, read: null, faults: [record.fault] };
    const faults = pairs
      .filter(([, place]) => record.errors?.[place] !== undefined)
      .map(([field, place]) =>
        record.errors[place] === "="
          ? fault(field, "Its formula was never computed.", "Write the value in its place, or save the file in Excel.")
          : fault(field, "It holds the error %(code)s of Excel.", "Correct the formula, or write the value in its place.", { code: record.errors[place] }),
      );
    if (faults.length) return { record, read: null, faults };
    try {
      return { record, read: readRow(fieldsOf(record.cells), reading), faults: [] };
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return { record, read: null, faults: error.faults };
    }
  }

  #doubts(pairs) {
    const doubts = [];
    for (const [field, place] of pairs) {
      const numbers = this.records.filter((record) => record.numbers?.includes(place));
      const cut = numbers.filter((record) => isTooLong(record.cells[place]));
      if (cut.length) doubts.push({ code: "digits-lost", field, num: cut.length });
      else if (numbers.length && KEEPS_ZEROS.test(field)) doubts.push({ code: "zeros-lost", field, num: numbers.length });
    }
    return doubts;
  }

  #warn(code, names) {
    this.warnings.push({ code, names });
  }
}

function unlike(cells, width) {
  return fault(
    "row",
    "It has %(cells)s cells and the header has %(width)s: a delimiter or a quotation mark is missing or one too many.",
    "Correct the line.",
    { cells, width },
  );
}
