// What a page may ask of its worker to report shipments: one from a form, many from a file.
// The file, its rows and the clear values stay in the worker; the page gets what it shows.

import { FaultError } from "./faults.js";
import { EVALUATION_KIND, facetsOf } from "./facets.js";
import { addressOf, readRow } from "./rows.js";
import { Sealer } from "./sealer.js";
import { Sheet } from "./sheet.js";
import { Submission, faultsOf, payloadsOf, randomKey, sent } from "./submission.js";
import { NO_TERMS, termsOfRow } from "./terms.js";

const PREVIEW = 20; // rows
const FAULTS_SHOWN = 50; // rows

/**
 * The verbs. `ways` are {evaluate(body), holders, post(path, body), renew(document),
 * sealing(recipients)}: how the worker reaches the platform and its unlocked keys.
 */
export function reportingVerbs(ways) {
  let sheet = null;
  let understood = null;
  let run = null;

  const howOf = ({ document, purpose, caseReference, recipients }) => ({
    document,
    purpose,
    caseReference,
    evaluate: ways.evaluate,
    holders: ways.holders,
    post: ways.post,
    renew: () => ways.renew(document),
    sealer: recipients ? sealerOf(recipients) : null,
  });
  const sealerOf = (recipients) => {
    const { owner, keys, identity } = ways.sealing(recipients);
    return new Sealer(owner, keys, identity);
  };

  return {
    /** A new report's key: the same for every attempt at it. */
    reportKey: () => randomKey(),

    /** What a form says: {faults} or {sightings, shipment, terms, flags}, and each address as split. */
    reportRead({ row, reading }) {
      const addresses = Object.fromEntries(
        ["sender_", "addressee_"].filter((each) => row[`${each}street`]).map((each) => [each, addressOf(row, each)]),
      );
      try {
        return { addresses, faults: [], ...toldOf(readRow(row, withTerms(reading))) };
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        return { addresses, faults: error.faults, sightings: [], shipment: {}, flags: [], terms: null };
      }
    },

    /** What holds for every row of a file, from the fields of a form: {faults, terms}. */
    termsRead({ row, today }) {
      try {
        return { faults: [], terms: termsOfRow(row, NO_TERMS, today) };
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        return { faults: error.faults, terms: null };
      }
    },

    /** Send one report: {status, id, indicators, receipt, faults}; safe to give again under the same key. */
    async reportSend({ key, row, reading, ...given }, onProgress) {
      const how = howOf(given);
      const read = readRow(row, withTerms(reading));
      const attempt = async (document) => {
        const payloads = await payloadsOf([read], [key], { ...how, document, onProgress });
        const [result] = await sent(payloads, how.post);
        return result;
      };
      let result = await attempt(how.document);
      const isStale = result.status === "rejected" && result.errors.every(({ field }) => field.endsWith(".epoch"));
      if (isStale) result = await attempt(await how.renew());
      const { status, id, indicators, receipt } = result;
      return { status, id, indicators, receipt, faults: faultsOf(read, result) };
    },

    /** The envelope, in bytes, of a report's file {name, media_type, content}. */
    reportFile: ({ key, number, file, recipients }) => sealerOf(recipients).attachment(key, number, file),

    /** Read a file {name, bytes}; throws SheetError. */
    sheetOpen({ name, bytes }) {
      sheet = new Sheet(name, bytes);
      understood = run = null;
      return sheet.described();
    },

    /** The columns of the file under an import mapping: [{heading, example, field, item, isOwn}]. */
    sheetMapped: ({ mapping }) => sheet.mapped(mapping),

    /**
     * Understand every row under columns, or under an import mapping: {isUsable, twice, rows, good,
     * preview, wrong: {count, shown}, indicators, evaluations, flags, doubts, tally}.
     */
    sheetRead({ chosen, mapping, reading }) {
      understood = sheet.understood(chosen, withTerms(reading), mapping);
      run = null;
      const { lines, isUsable, twice, doubts, tally } = understood;
      const wrong = lines.filter((line) => !line.read);
      return {
        isUsable,
        twice,
        doubts,
        tally,
        rows: sheet.records.length,
        good: lines.length - wrong.length,
        preview: lines.slice(0, PREVIEW).map(shownLine),
        wrong: { count: wrong.length, shown: wrong.slice(0, FAULTS_SHOWN).map(shownLine) },
        ...figuresOf(lines),
      };
    },

    /** Send the next rows: {done, rows, counts, refused} so far; after an error the same rows again. */
    async sheetSend({ count, ...given }, onProgress) {
      run ??= new Submission(understood.lines);
      const refused = await run.step(count, howOf(given), onProgress);
      const { done, counts, reports } = run;
      const rows = understood.lines.length;
      return { done, rows, counts: { ...counts }, reports: reports.length, refused: refused.map(shownLine) };
    },

    /** The rows that did not go in, or that cannot: {name, type, bytes}; `words` translates. */
    sheetErrors({ words }) {
      const refused = run?.refused ?? understood.lines.filter((line) => !line.read);
      const headings = sheet.header;
      const headingOf = (field) => {
        const [name, ...more] = field.split(" ");
        const place = understood.places[name];
        return place === undefined ? field : [headings[place], ...more].join(" ");
      };
      return sheet.written(refused, words, headingOf);
    },
  };
}

function withTerms(reading) {
  return { ...reading, terms: { ...NO_TERMS, ...reading.terms } };
}

/** What a page shows of a row; values and their forms stay on the page. */
function toldOf(read) {
  const { shipment, terms, flags } = read;
  const sightings = read.sightings.map(({ source, role, kind, form, flags: doubts }) => ({
    source,
    role,
    kind,
    doubts,
    text: textOf(kind, form),
  }));
  return { sightings, shipment, terms, flags };
}

function shownLine({ record, read, faults }) {
  const told = read ? toldOf(read) : { sightings: [], shipment: {}, flags: [] };
  return { line: record.line, number: record.number, faults, ...told };
}

/** A canonical form as a person reads it. */
function textOf(kind, form) {
  if (kind === "party" || kind === "address") {
    const house = [form.number + form.suffix, form.box].filter(Boolean).join("/");
    const street = [form.streets[0], house].filter(Boolean).join(" ");
    const town = [form.postcode, form.city].filter(Boolean).join(" ");
    return [form.name_words.join(" "), street, town, form.country.toUpperCase()].filter(Boolean).join(", ");
  }
  if (kind === "vendor") return [form.folded, form.market].filter(Boolean).join(" @ ");
  return [form.scheme, form.text].filter(Boolean).join(" ");
}

function figuresOf(lines) {
  const indicators = {};
  const flags = {};
  const inputs = new Set();
  const evaluations = {};
  const add = (counts, name) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  for (const { read } of lines) {
    if (!read) continue;
    for (const flag of read.flags) add(flags, flag);
    for (const sighting of read.sightings) {
      add(indicators, sighting.kind);
      for (const flag of sighting.flags) add(flags, flag);
      if (!EVALUATION_KIND.has(sighting.kind)) continue;
      const kind = EVALUATION_KIND.get(sighting.kind);
      for (const { text } of facetsOf(sighting)) {
        if (inputs.has(`${kind}/${text}`)) continue;
        inputs.add(`${kind}/${text}`);
        add(evaluations, kind);
      }
    }
  }
  return { indicators, flags, evaluations };
}
