// Reads rows, headings and files as the pages' worker does: JSON in by standard input, JSON out.
// Used by test_row_modules.py; the modules that it imports need no package.

import { columnsOf, recognise } from "../../../app/web/modules/columns.js";
import { readCsv } from "../../../app/web/modules/csv_rows.js";
import { FaultError, filled } from "../../../app/web/modules/faults.js";
import { readRow } from "../../../app/web/modules/rows.js";
import { termsOnWire } from "../../../app/web/modules/terms.js";
import * as vocabulary from "../../../app/web/modules/vocabulary.js";

let written = "";
for await (const piece of process.stdin) written += piece;
const asked = JSON.parse(written);

function row([cells, reading]) {
  try {
    const { sightings, shipment, terms, flags, note } = readRow(cells, reading);
    const seen = sightings.map(({ source, role, kind, form, flags: doubts, place, fields }) =>
      [source, role, kind, form, doubts, place, fields],
    );
    return { sightings: seen, shipment, terms: [termsOnWire(terms), terms.barrier_step], flags, note };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { faults: error.faults.map(({ field, reason, names }) => [field, filled(reason, names)]) };
  }
}

function file(content) {
  try {
    const { delimiter, records } = readCsv(new Uint8Array(Buffer.from(content, "base64")));
    return { delimiter, records: records.map((each) => [each.number, each.line, each.fault ? null : each.cells]) };
  } catch (error) {
    return { error: error.code, names: error.names };
  }
}

const closed = Object.fromEntries(
  Object.entries(vocabulary).map(([name, words]) => [name, words instanceof Map ? Object.fromEntries(words) : words]),
);
console.log(
  JSON.stringify({
    rows: asked.rows.map(row),
    headings: asked.headings.map((each) => recognise(each)),
    headers: asked.headers.map((each) => columnsOf(each)),
    files: asked.files.map(file),
    closed,
  }),
);
