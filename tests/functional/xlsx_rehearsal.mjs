// Reads workbooks as the pages' worker does: the folder of the modules and paths as arguments, one
// line of JSON each on standard output: what was read, or the code of the refusal. Used by
// test_xlsx_bombs.py.

import { readFileSync } from "node:fs";

const [modules, ...paths] = process.argv.slice(2);
const { SheetError } = await import(`${modules}/sheet_errors.js`);
const { Sheet } = await import(`${modules}/sheet.js`);

for (const path of paths) {
  try {
    const sheet = new Sheet(path, readFileSync(path));
    const { rows, columns } = sheet.described();
    console.log(JSON.stringify({ rows, columns: columns.length }));
  } catch (error) {
    if (!(error instanceof SheetError)) throw error;
    console.log(JSON.stringify({ code: error.code, told: error.message }));
  }
}
