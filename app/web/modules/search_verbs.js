// What a page of search asks of its worker: what texts are, before anything of them is looked up.

import { facetsOf } from "./facets.js";
import { normalise } from "./normalise/index.js";
import { readAs, recognise } from "./recognise.js";

const STEP = 50; // texts between two reports of progress

export const SEARCH_VERBS = {
  /** For each text what it may be, the surest first (recognise.js); empty for nothing known. */
  async recognise({ texts, country }, onProgress) {
    const found = [];
    for (let at = 0; at < texts.length; at += STEP) {
      found.push(...texts.slice(at, at + STEP).map((text) => recognise(text, country)));
      onProgress(found.length, texts.length);
      await new Promise((resolve) => setTimeout(resolve)); // messages to the worker get a turn
    }
    return found;
  },

  /** The value of a text when a person says of what kind it is. */
  readAs({ kind, text, country }) {
    return readAs(kind, text, country);
  },

  /** Of each value {kind, value} its flags and how much there is to compare, or its fault. */
  checkAll({ values }) {
    return values.map(({ kind, value }) => {
      try {
        const normalised = normalise(kind, value);
        return { flags: normalised.flags, facets: facetsOf(normalised).length };
      } catch (error) {
        return { fault: { field: error.field, reason: error.reason, remedy: error.remedy } };
      }
    });
  },
};
