// Reading the first sheet of an Excel workbook (ECMA-376), and writing rows as one.
//
// A workbook is a ZIP of XML. What it unpacks to is bounded, whatever its list of contents says, and
// so is what it can make of that: depth, lengths of tags and cells, numbers of everything that is
// kept. Entities of a document type are never expanded; formulas are not computed, their last result
// is read.

import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { Parser } from "saxen";

import { SheetError } from "./sheet_errors.js";

const LARGEST = 100_000_000; // bytes unpacked
const MOST_PARTS = 5_000;
const WANTED = /^xl\/(?:workbook\.xml|styles\.xml|sharedStrings\.xml|_rels\/workbook\.xml\.rels|worksheets\/[^/]+\.xml)$/i;
const MOST_ROWS_SEEN = 25_000; // of a sheet; what is beyond is refused by its number of rows
const MOST_COLUMNS = 200;
const MOST_STRINGS = MOST_ROWS_SEEN * MOST_COLUMNS;
const MOST_NAMED = 70_000; // formats, styles, sheets, merged cells: Excel has fewer of each
const LONGEST_CELL = 32_767; // characters; Excel's own limit
const LONGEST_TAG = 20_000; // characters
const DEEPEST = 40;
const DATE_FORMATS = new Set([14, 15, 16, 17, 22, 27, 30, 36, 45, 46, 47, 50, 57]);
const DAY = 86_400_000; // milliseconds
const SURE_DIGITS = 15; // of a number in Excel

/**
 * {sheet, others, records: [{line, cells, numbers, errors}], merged, formulas}.
 *
 * `numbers` are places of cells that hold a number, where Excel has dropped leading zeros; `errors`
 * maps the place of a cell to what stands there instead of a value; `merged` are [{row, from, to}].
 */
export function readXlsx(bytes) {
  const parts = unpacked(bytes);
  const part = (name) => parts.get(name.toLowerCase());
  const workbook = readWorkbook(needed(part("xl/workbook.xml")));
  const targets = readTargets(part("xl/_rels/workbook.xml.rels") ?? "");
  const visible = workbook.sheets.filter((sheet) => !sheet.isHidden);
  const sheet = visible[0] ?? workbook.sheets[0];
  const path = targets.get(sheet?.id) ?? "worksheets/sheet1.xml";
  const content = needed(part(path.startsWith("/") ? path.slice(1) : `xl/${path}`));
  const read = readSheet(content, {
    strings: readStrings(part("xl/sharedstrings.xml") ?? ""),
    formats: readFormats(part("xl/styles.xml") ?? ""),
    is1904: workbook.is1904,
  });
  return { sheet: sheet?.name ?? "", others: visible.length - 1, ...read };
}

/** A workbook with one sheet; every cell is text, so that nothing is read as a number or a formula. */
export function writtenXlsx(rows, name = "rows") {
  const files = {
    "[Content_Types].xml":
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
      '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>' +
      '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": relations("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml":
      '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">' +
      `<sheets><sheet name="${escaped(name)}" sheetId="1" r:id="r1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relations("worksheet", "worksheets/sheet1.xml"),
    "xl/worksheets/sheet1.xml":
      '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' +
      rows.map((row, place) => `<row r="${place + 1}">${row.map(inlineCell).join("")}</row>`).join("") +
      "</sheetData></worksheet>",
  };
  const packed = Object.entries(files).map(([path, xml]) => [
    path,
    strToU8(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>${xml}`),
  ]);
  return zipSync(Object.fromEntries(packed));
}

function unpacked(bytes) {
  let total = 0;
  let count = 0;
  const filter = ({ name, originalSize }) => {
    count += 1;
    if (count > MOST_PARTS) throw new SheetError("overfull");
    if (!WANTED.test(name)) return false;
    total += originalSize; // no more is kept of a part that says less than it unpacks to
    if (total > LARGEST) throw new SheetError("bomb");
    return true;
  };
  try {
    const files = unzipSync(bytes, { filter });
    return new Map(Object.entries(files).map(([name, content]) => [name.toLowerCase(), strFromU8(content)]));
  } catch (error) {
    throw error instanceof SheetError ? error : new SheetError("damaged-workbook");
  }
}

function needed(xml) {
  if (xml === undefined) throw new SheetError("damaged-workbook");
  return xml;
}

/** Tells `opened(name, attributes)`, `closed(name)` and `said(text)` of an XML, without prefixes. */
function parse(xml, { opened = () => {}, closed = () => {}, said = () => {} }) {
  refuseLongTags(xml);
  const parser = new Parser();
  let depth = 0;
  parser.on("openTag", (name, attributes) => {
    depth += 1;
    if (depth > DEEPEST) throw new SheetError("overfull");
    opened(local(name), attributes);
  });
  parser.on("closeTag", (name) => {
    depth -= 1;
    closed(local(name));
  });
  parser.on("text", (text, decode) => said(decode(text)));
  parser.on("cdata", (text) => said(text));
  parser.on("error", () => {
    throw new SheetError("damaged-workbook");
  });
  try {
    parser.parse(xml);
  } catch (error) {
    throw error instanceof SheetError ? error : new SheetError("damaged-workbook");
  }
}

/** The parser takes a time that grows with the square of a tag's attributes. */
function refuseLongTags(xml) {
  let end = -1;
  for (let start = xml.indexOf("<"); start >= 0; start = xml.indexOf("<", start + 1)) {
    if (end < start) end = xml.indexOf(">", start);
    if (end < 0) return; // damaged, as the parser will say
    if (end - start > LONGEST_TAG && xml[start + 1] !== "!") throw new SheetError("overfull");
  }
}

/** Adds to what is kept, of which there are no more than `most`. */
function keep(list, item, most) {
  if (list.length >= most) throw new SheetError("overfull");
  list.push(item);
}

function local(name) {
  return name.slice(name.indexOf(":") + 1);
}

function readWorkbook(xml) {
  const found = { sheets: [], is1904: false };
  parse(xml, {
    opened(name, attributes) {
      if (name === "workbookPr") found.is1904 = /^(?:1|true)$/.test(attributes().date1904 ?? "");
      if (name !== "sheet") return;
      const given = attributes();
      const id = Object.entries(given).find(([key]) => local(key) === "id" && key.includes(":"))?.[1];
      const isHidden = ["hidden", "veryHidden"].includes(given.state);
      keep(found.sheets, { name: unescaped(given.name ?? ""), id, isHidden }, MOST_NAMED);
    },
  });
  return found;
}

function readTargets(xml) {
  const targets = new Map();
  if (!xml) return targets;
  parse(xml, {
    opened(name, attributes) {
      if (name !== "Relationship") return;
      targets.set(attributes().Id, attributes().Target);
      if (targets.size > MOST_NAMED) throw new SheetError("overfull");
    },
  });
  return targets;
}

function readStrings(xml) {
  const strings = [];
  if (!xml) return strings;
  let isText = false;
  let isPhonetic = false;
  parse(xml, {
    opened(name) {
      if (name === "si") keep(strings, "", MOST_STRINGS);
      if (name === "rPh") isPhonetic = true;
      isText = name === "t" && !isPhonetic;
    },
    closed(name) {
      if (name === "rPh") isPhonetic = false;
      if (name === "t") isText = false;
    },
    said(text) {
      if (!isText) return;
      strings[strings.length - 1] += text;
      if (strings.at(-1).length > LONGEST_CELL) throw new SheetError("overfull");
    },
  });
  return strings.map(unpackedText);
}

/** For each cell style: "date", the number of digits to which it fills up with zeros, or null. */
function readFormats(xml) {
  const codes = new Map();
  const formats = [];
  if (!xml) return formats;
  let isOfCells = false;
  parse(xml, {
    opened(name, attributes) {
      if (name === "numFmt") codes.set(Number(attributes().numFmtId), unescaped(attributes().formatCode ?? ""));
      if (codes.size > MOST_NAMED) throw new SheetError("overfull");
      if (name === "cellXfs") isOfCells = true;
      if (name === "xf" && isOfCells) {
        keep(formats, formatOf(Number(attributes().numFmtId ?? 0), codes), MOST_NAMED);
      }
    },
    closed(name) {
      if (name === "cellXfs") isOfCells = false;
    },
  });
  return formats;
}

function formatOf(id, codes) {
  if (DATE_FORMATS.has(id)) return "date";
  const code = codes.get(id) ?? "";
  if (/^0+$/.test(code)) return code.length;
  const plain = code.replace(/"[^"]*"|\\.|\[[^\]]*\]/g, "");
  return /[dy]/i.test(plain) ? "date" : null;
}

function readSheet(xml, known) {
  const records = [];
  const merged = [];
  let formulas = 0;
  let record = null;
  let cell = null;
  let isValue = false;
  let characters = 0;
  let cells = 0; // of the row, also those that stand for one place
  parse(xml, {
    opened(name, attributes) {
      if (name === "row") {
        cells = 0;
        const line = Number(attributes().r ?? (records.at(-1)?.line ?? 0) + 1);
        record = { line, cells: [], numbers: [], errors: {} };
      } else if (name === "c" && record) {
        const { r, t, s } = attributes();
        const place = r ? columnOf(r) : record.cells.length;
        cells += 1;
        if (place >= MOST_COLUMNS || cells > MOST_COLUMNS) throw new SheetError("too-many-columns");
        cell = { place, type: t ?? "n", style: Number(s ?? -1), text: "", hasFormula: false };
      } else if (cell && name === "f") {
        cell.hasFormula = true;
        formulas += 1;
      } else if (cell && (name === "v" || name === "t")) {
        isValue = true;
      } else if (name === "mergeCell") {
        const found = rangeOf(attributes().ref ?? "");
        if (found) keep(merged, found, MOST_NAMED);
      }
    },
    said(text) {
      if (!isValue) return;
      cell.text += text;
      if (cell.text.length > LONGEST_CELL) throw new SheetError("overfull");
    },
    closed(name) {
      if (name === "v" || name === "t") isValue = false;
      else if (name === "c" && cell) {
        put(record, cell, known);
        // One text may stand in many cells.
        characters += record.cells[cell.place].length;
        if (characters > LARGEST) throw new SheetError("overfull");
        cell = null;
      } else if (name === "row" && record) {
        records.push(record);
        record = null;
        if (records.length > MOST_ROWS_SEEN) throw new SheetError("too-many-rows");
      }
    },
  });
  return { records, merged, formulas };
}

function put(record, cell, known) {
  while (record.cells.length <= cell.place) record.cells.push("");
  if (cell.type === "e") record.errors[cell.place] = cell.text;
  else if (cell.hasFormula && cell.type !== "str" && !cell.text) record.errors[cell.place] = "=";
  else record.cells[cell.place] = textOf(record, cell, known);
}

function textOf(record, { place, type, style, text }, { strings, formats, is1904 }) {
  if (type === "s") return strings[Number(text)] ?? "";
  if (type === "b") return text === "1" ? "TRUE" : "FALSE";
  if (type === "d") return text.slice(0, 10);
  if (type !== "n") return unpackedText(text);
  if (!text.trim()) return "";
  const number = Number(text);
  const format = formats[style] ?? null;
  if (format === "date") return dayOf(number, is1904);
  if (typeof format === "number") return plainNumber(text, number).padStart(format, "0");
  record.numbers.push(place);
  return plainNumber(text, number);
}

function plainNumber(text, number) {
  if (/^-?[0-9]+$/.test(text)) return text;
  const plain = String(number);
  return plain.includes("e") ? BigInt(Math.round(number)).toString() : plain;
}

/** Whether a number has more digits than Excel keeps: the last ones are zeros then. */
export function isTooLong(text) {
  return /^[0-9]+$/.test(text) && text.replace(/^0+/, "").length > SURE_DIGITS;
}

function dayOf(serial, is1904) {
  // Excel counts a 29 February 1900 that was none, so serials up to 60 are one day off.
  const days = Math.floor(serial) + (is1904 ? 1462 : 0) + (!is1904 && serial < 60 ? 1 : 0);
  const moment = new Date(Date.UTC(1899, 11, 30) + days * DAY);
  return Number.isNaN(moment.getTime()) ? String(serial) : moment.toISOString().slice(0, 10);
}

function columnOf(reference) {
  let column = 0;
  for (const letter of reference.replace(/[^A-Z]/gi, "").toUpperCase()) {
    column = column * 26 + letter.charCodeAt(0) - 64;
  }
  return column - 1;
}

function rangeOf(reference) {
  const found = /^([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)$/i.exec(reference);
  return found && { row: Number(found[2]), lastRow: Number(found[4]), from: columnOf(found[1]), to: columnOf(found[3]) };
}

/** Characters that XML cannot hold are written as _x000D_ and the like. */
function unpackedText(text) {
  return text.replace(/_x([0-9A-F]{4})_/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
}

function unescaped(text) {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}

function inlineCell(text) {
  return `<c t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;
}

function escaped(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "");
}

function relations(kind, target) {
  return (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' +
    `<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${kind}" Target="${target}"/></Relationships>`
  );
}
