// Reads rows under the import mappings as the pages' worker does: JSON in by standard input, JSON out.
// Used by test_import_modules.py; the modules that it imports need no package.

import { FaultError, filled } from "../../../app/web/modules/faults.js";
import { MAPPINGS, MappedColumns } from "../../../app/web/modules/mapped_columns.js";

let written = "";
for await (const piece of process.stdin) written += piece;

function file([header, mapping, rows]) {
  const columns = new MappedColumns(header, mapping);
  const read = rows.map((cells) => {
    try {
      return columns.read(cells);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return { faults: error.faults.map(({ field, reason, remedy, names }) => [field, filled(reason, names), filled(remedy, names)]) };
    }
  });
  const unknown = columns.columns.filter(({ line }) => !line.field).map(({ heading, place }) => [place, heading]);
  return { read, tally: columns.tally, isUsable: columns.isUsable, unknown };
}

console.log(JSON.stringify({ mappings: MAPPINGS, files: JSON.parse(written).map(file) }));
