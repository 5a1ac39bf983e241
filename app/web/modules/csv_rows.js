// Reading a CSV file as it comes: its encoding and delimiter found out, each record with its line.
// The counterpart of postern/csv_file.py: the same records, faults and lines as Python's reader.

import { SheetError } from "./sheet_errors.js";
import { fault, stripped } from "./faults.js";

const DELIMITERS = [",", ";", "\t", "|"];
const LONGEST_CELL = 20_000; // characters; whatever is longer is a quotation mark that was not closed

/** {encoding, isGuessed, delimiter, records: [{number, line, cells, fault}]}; the header is number 0. */
export function readCsv(bytes) {
  const { text, encoding, isGuessed } = decoded(bytes);
  const delimiter = delimiterOf(text);
  const records = [];
  for (const { line, cells, isMarkMisplaced } of recordsOf(text, delimiter)) {
    if (!isMarkMisplaced && !cells.some((cell) => stripped(cell))) continue;
    const wrong = isMarkMisplaced
      ? fault("row", "A quotation mark stands where none may stand.", "Correct the line.")
      : null;
    records.push({ number: records.length, line, cells, fault: wrong });
  }
  return { encoding, isGuessed, delimiter, records };
}

/** Rows as CSV in UTF-8 with the mark by which spreadsheets recognise it. */
export function writtenCsv(rows, delimiter) {
  const special = new RegExp(`[${delimiter === "|" ? "\\|" : delimiter}"\\r\\n]`);
  const cell = (text) => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return new TextEncoder().encode(`\ufeff${rows.map((row) => `${row.map(cell).join(delimiter)}\r\n`).join("")}`);
}

function decoded(bytes) {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return { text: read(bytes, "utf-16le"), encoding: "UTF-16", isGuessed: false };
  if (first === 0xfe && second === 0xff) return { text: read(bytes, "utf-16be"), encoding: "UTF-16", isGuessed: false };
  try {
    return { text: read(bytes, "utf-8"), encoding: "UTF-8", isGuessed: false };
  } catch {
    return { text: read(bytes, "windows-1252"), encoding: "Windows-1252", isGuessed: true };
  }
}

function read(bytes, encoding) {
  const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  if (text.includes("\0")) throw new SheetError("not-a-table");
  return text;
}

/** The delimiter that stands most often outside quotation marks in the header. */
function delimiterOf(text) {
  const header = /^[^\r\n]*/.exec(text.slice(0, LONGEST_CELL))[0];
  const outside = header.split('"').filter((_, place) => place % 2 === 0).join("");
  const counts = DELIMITERS.map((each) => outside.split(each).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

function* recordsOf(text, delimiter) {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const begun = line;
    const cells = [];
    let cell = "";
    let state = "start"; // of a cell; then "plain", "quoted" or "closing"
    let isMarkMisplaced = false;
    for (;;) {
      const letter = text[at];
      if (letter === undefined) {
        if (state === "quoted") throw new SheetError("unclosed", { line: begun });
        break;
      }
      const isEnd = letter === "\n" || letter === "\r";
      if (isEnd) {
        const width = letter === "\r" && text[at + 1] === "\n" ? 2 : 1;
        line += 1;
        at += width;
        if (state !== "quoted") break;
        cell += text.slice(at - width, at);
        continue;
      }
      at += 1;
      if (state === "quoted") {
        if (letter === '"') state = "closing";
        else cell += letter;
      } else if (state === "closing" && letter === '"') {
        cell += letter;
        state = "quoted";
      } else if (letter === delimiter) {
        cells.push(cell);
        cell = "";
        state = "start";
      } else if (state === "closing") {
        isMarkMisplaced = true;
        while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at += 1;
        state = "plain";
      } else if (state === "start" && letter === '"') {
        state = "quoted";
      } else {
        cell += letter;
        state = "plain";
      }
      if (cell.length > LONGEST_CELL) throw new SheetError("unclosed", { line: begun });
    }
    cells.push(cell);
    yield { line: begun, cells: isMarkMisplaced ? [] : cells, isMarkMisplaced };
  }
}
