// Why a file cannot be read as a table at all; what is wrong with one row is a fault of that row.

const SENTENCES = {
  "too-large": "The file is larger than 20 MB. Submit it with `postern submit`.",
  "too-many-rows": "The file has more than 20,000 rows. Submit it with `postern submit`, or in parts.",
  "too-many-columns": "The table has more than 200 columns. Take out those that are not needed.",
  empty: "The file is empty. Put the headings of the columns on its first line.",
  "not-a-table": "The file is neither CSV nor an Excel workbook. Save it as .xlsx or as CSV.",
  "old-excel": "It is an old or a protected Excel file. Save it as .xlsx without a password.",
  "damaged-workbook": "The workbook cannot be read. Open it in Excel and save it as .xlsx again.",
  bomb: "The workbook unpacks to more than 100 MB. Save only the sheet that is needed.",
  overfull: "The workbook holds more in one place than Excel would write. Open it in Excel and save only the sheet that is needed, or as CSV.",
  unclosed: "A quotation mark is opened and not closed. Close it, or double it if it belongs to the text.",
  "header-fault": "The line of headings cannot be read. Correct its quotation marks.",
};

/** `code` names the cause, `names` what its sentence may tell, such as the line. */
export class SheetError extends Error {
  constructor(code, names = {}) {
    super(SENTENCES[code]);
    this.name = "SheetError";
    this.code = code;
    this.names = names;
  }
}
