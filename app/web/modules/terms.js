// What is said about an indicator beside its value. The counterpart of postern/terms.py.

import { day, daysAfter } from "./bands.js";
import { FaultError, fault, stripped } from "./faults.js";
import {
  ASSERTION,
  HANDLING,
  HANDLING_AGAINST_TLP,
  INFORMATION_GRADE,
  LEARNED,
  LEGAL_BASIS,
  PERMITTED_ACTION,
  SOURCE_GRADE,
  SUBJECT_CATEGORY,
  TLP,
} from "./vocabulary.js";

const LAST_STEP = 7; // of the barrier model
const MOST_DAYS = 3650; // the platform sets its own limit, which is lower

/** What is said of every row of a file; null stands for "not said". */
export const NO_TERMS = {
  learned: null,
  legal_basis: null,
  subject_category: null,
  assertion: null,
  source_grade: null,
  information_grade: null,
  tlp: null,
  handling: [],
  permitted_action: null,
  expires_on: null,
  observed_from: null,
  observed_to: null,
  barrier_step: null,
};

const WORDS = [
  ["learned", LEARNED],
  ["legal_basis", LEGAL_BASIS],
  ["subject_category", SUBJECT_CATEGORY],
  ["assertion", ASSERTION],
  ["tlp", TLP],
  ["permitted_action", PERMITTED_ACTION],
];

/** The common terms with what a row says instead; throws FaultError. `today` is an ISO day. */
export function termsOfRow(row, common, today) {
  const reading = new Reading(row);
  const [source, information] = reading.grade();
  const said = {};
  for (const [field, words] of WORDS) said[field] = reading.word(field, words);
  const handling = reading.handling();
  const terms = {
    ...common,
    ...Object.fromEntries(Object.entries(said).filter(([, found]) => found !== null)),
    source_grade: source ?? common.source_grade,
    information_grade: information ?? common.information_grade,
    handling: handling.length ? handling : common.handling,
    expires_on: reading.expiry(today) ?? common.expires_on,
    observed_from: reading.past("observed_from", today) ?? common.observed_from,
    observed_to: reading.past("observed_to", today) ?? common.observed_to,
    barrier_step: reading.step() ?? common.barrier_step,
  };
  for (const field of ["learned", "legal_basis"]) {
    if (terms[field] === null && row[field] === undefined) {
      reading.fault(field, "It is not said.", "Choose it, or fill in the column %(column)s.", { column: field });
    }
  }
  const against = HANDLING_AGAINST_TLP.get(terms.tlp ?? "AMBER") ?? [];
  const contradicting = terms.handling.filter((code) => against.includes(code)).sort();
  if (contradicting.length) {
    reading.fault(
      "handling",
      "%(codes)s restricts what TLP:%(tlp)s sets free.",
      "Raise the TLP marking or leave the code out.",
      { codes: contradicting.join(", "), tlp: terms.tlp },
    );
  }
  if (terms.observed_from && terms.observed_to && terms.observed_from > terms.observed_to) {
    reading.fault("observed_to", "It is before observed_from.", "Correct one of the two days.");
  }
  if (reading.faults.length) throw new FaultError(reading.faults);
  return terms;
}

/** The fields of an indicator for terms; what is not said is left to the platform's default. */
export function termsOnWire(terms) {
  const { barrier_step: _, handling, ...others } = terms;
  const fields = { ...others, handling: handling.length ? handling : null };
  return Object.fromEntries(Object.entries(fields).filter(([, found]) => found !== null));
}

/** Reads closed-list columns of one row and collects what is wrong with them. */
class Reading {
  faults = [];
  #row;

  constructor(row) {
    this.#row = row;
  }

  fault(...parts) {
    this.faults.push(fault(...parts));
  }

  word(field, words) {
    const text = this.#row[field];
    if (text === undefined) return null;
    const lower = text.toLowerCase();
    const found = words.find((word) => word.toLowerCase() === lower) ??
      words.find((word) => word.toLowerCase() === lower.replaceAll(" ", "_"));
    if (found === undefined) {
      this.fault(field, "The word is not in the list.", "Use one of: %(words)s.", { words: words.join(", ") });
      return null;
    }
    return found;
  }

  handling() {
    const text = (this.#row.handling ?? "").toUpperCase();
    const codes = [...new Set(text.split(/[;|/ ,]/).filter(Boolean))];
    if (!codes.every((code) => HANDLING.includes(code))) {
      this.fault("handling", "A code is not in the list.", "Use %(words)s.", { words: HANDLING.join(", ") });
      return [];
    }
    return codes.sort();
  }

  grade() {
    const text = this.#row.grade;
    if (text === undefined) return [null, null];
    const plain = stripped(text).toUpperCase();
    const [source, information] = plain;
    if (plain.length === 2 && SOURCE_GRADE.includes(source) && INFORMATION_GRADE.includes(information)) {
      return [source, information];
    }
    this.fault(
      "grade",
      "It is not a source grade and an information grade.",
      "Write A, B, C or X and then 1, 2, 3 or 4, such as X4.",
    );
    return [null, null];
  }

  expiry(today) {
    const days = this.#row.expires_in;
    if (days !== undefined) {
      if (/^[0-9]+$/.test(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS) {
        return daysAfter(today, Number(days));
      }
      this.fault("expires_in", "It is not a number of days.", "Write a whole number from 1 to %(most)s.", { most: MOST_DAYS });
      return null;
    }
    const found = this.#day("expires_on");
    if (found && found <= today) {
      this.fault("expires_on", "The day is past.", "Give a day to come, or leave it empty.");
      return null;
    }
    return found;
  }

  past(field, today) {
    const found = this.#day(field);
    // Where the row was written it may be a day later than in UTC.
    if (found && found > daysAfter(today, 1)) {
      this.fault(field, "The day is yet to come.", "Give the day on which it was seen.");
      return null;
    }
    return found;
  }

  step() {
    const text = this.#row.barrier_step;
    if (text === undefined) return null;
    if (/^[1-7]$/.test(text)) return Number(text);
    this.fault("barrier_step", "It is not a step.", "Write a number from 1 to %(most)s.", { most: LAST_STEP });
    return null;
  }

  #day(field) {
    const text = this.#row[field];
    if (text === undefined) return null;
    const found = day(text);
    if (found === null) {
      this.fault(field, "It is not a day.", "Write it as 2026-11-25 or 25/11/2026, the day first.");
    }
    return found;
  }
}
