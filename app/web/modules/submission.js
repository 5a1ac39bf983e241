// Submitting: rows are read, pseudonymised and sent, in order; a row that is sent again is known by
// its key. The counterpart of postern/submission.py, with a worker's memory instead of a journal.

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { utf8 } from "./bytes.js";
import { fault } from "./faults.js";
import { pseudonymise } from "./pseudonymise.js";
import { reportOf } from "./report_form.js";

const REPORTS = "/api/v1/reports";
const KEY_DIGITS = 32;
const MOST_AT_ONCE = 500; // reports of one request
const LARGEST_SEALED = 4 * 2 ** 20; // characters of envelopes in one request
const EPOCH_FAULT = /^indicators\.[0-9]+\.epoch$/;
const PLACE = /^indicators\.([0-9]+)\.(.+)$/;

/** A key of so many digits that says nothing of a shipment. */
export function randomKey() {
  return hex(crypto.getRandomValues(new Uint8Array(KEY_DIGITS / 2)));
}

/** One run over the lines of a sheet. `step` does some of what is left and can be given again. */
export class Submission {
  counts = { created: 0, existing: 0, rejected: 0 };
  refused = []; // lines that did not go in, in order: {record, faults}
  reports = []; // ids
  done = 0;
  #lines;
  #run = crypto.getRandomValues(new Uint8Array(16));
  #known = new Map();
  #tried = 0; // lines that were perhaps sent before

  constructor(lines) {
    this.#lines = lines;
  }

  /** Send up to `count` rows by `how`; throws what the way throws, and then nothing is counted. */
  async step(count, how, onProgress) {
    const lines = this.#lines.slice(this.done, this.done + count);
    const sendable = lines.filter((line) => line.read);
    const payloads = await this.#payloads(sendable, how, onProgress);
    const wasTried = this.#tried > this.done;
    this.#tried = Math.max(this.#tried, this.done + lines.length);
    let results = await sent(payloads, how.post);
    const stale = sendable.filter((_, place) => isOfStaleEpoch(results[place]));
    if (stale.length) {
      // An epoch turned between evaluation and submission: once more, with the new one.
      this.#known.clear();
      const renewed = { ...how, document: await how.renew() };
      const again = await sent(await this.#payloads(stale, renewed, onProgress), how.post);
      results = results.map((result, place) => again[stale.indexOf(sendable[place])] ?? result);
    }
    const refused = [];
    for (const line of lines) {
      const result = line.read ? results[sendable.indexOf(line)] : null;
      const [status, faults] = fateOf(line, result, wasTried);
      this.counts[status] += 1;
      if (result?.id) this.reports.push(result.id);
      if (status === "rejected") refused.push({ record: line.record, faults });
    }
    this.refused.push(...refused);
    this.done += lines.length;
    return refused;
  }

  async #payloads(lines, how, onProgress) {
    const rows = lines.map((line) => line.read);
    const keys = lines.map((line) => this.#key(line.record.number));
    return payloadsOf(rows, keys, { ...how, known: this.#known, onProgress });
  }

  /** 128 bits of HMAC-SHA-256 of the row's number under the run's id. */
  #key(row) {
    return hex(hmac(sha256, this.#run, utf8(String(row)))).slice(0, KEY_DIGITS);
  }
}

/** Rows as they are sent. `how` is that of `pseudonymise`, and {sealer}. */
export async function payloadsOf(rows, keys, how) {
  const values = rows.flatMap((row) => row.sightings.map(({ kind, value }) => ({ kind, value })));
  const pseudonyms = await pseudonymise(values, how);
  const payloads = [];
  let at = 0;
  for (const [place, row] of rows.entries()) {
    const own = pseudonyms.slice(at, at + row.sightings.length);
    at += row.sightings.length;
    payloads.push(await reportOf(keys[place], row, own, how.sealer));
  }
  return payloads;
}

/** What the platform says of each report, in their order; `post(path, body)` is one request. */
export async function sent(payloads, post) {
  const results = [];
  for (const few of requests(payloads)) {
    const answer = await post(REPORTS, { reports: few });
    const fits =
      answer.results?.length === few.length &&
      few.every((each, place) => [null, each.client_key].includes(answer.results[place].client_key));
    if (!fits) throw new RangeError("The platform's answer does not fit what was sent.");
    results.push(...answer.results.map((each) => ({ ...each, receipt: answer.receipt })));
  }
  return results;
}

/** The faults of a refused report, with the column or field instead of a place in the report. */
export function faultsOf(row, result) {
  return result.errors.map(({ field, reason, remedy }) => {
    const found = PLACE.exec(field);
    const source = found && row.sightings[Number(found[1])]?.source;
    return fault(source ? `${source} (${found[2]})` : field, reason, remedy);
  });
}

function isOfStaleEpoch(result) {
  return result.errors.length > 0 && result.errors.every((error) => EPOCH_FAULT.test(error.field));
}

function fateOf(line, result, wasTried) {
  if (!result) return ["rejected", line.faults];
  if (result.status !== "rejected") return [result.status, []];
  // Only this run can have used its random key: the row went in before its answer was lost.
  const isOwnKey = wasTried && result.errors.every((error) => error.field === "client_key");
  return isOwnKey ? ["existing", []] : ["rejected", faultsOf(line.read, result)];
}

function* requests(payloads) {
  let few = [];
  let size = 0;
  for (const payload of payloads) {
    const own = payload.indicators
      .flatMap((each) => Object.values(each.sealed ?? {}))
      .reduce((sum, text) => sum + text.length, 0);
    if (few.length && (few.length === MOST_AT_ONCE || size + own > LARGEST_SEALED)) {
      yield few;
      few = [];
      size = 0;
    }
    few.push(payload);
    size += own;
  }
  if (few.length) yield few;
}

function hex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
