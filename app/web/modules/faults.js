// Why a row or a form cannot be used: what is wrong and what to do, never the value.
// The counterpart of Fault and FaultError in postern/terms.py.

/**
 * A fault {field, reason, remedy, names}. `reason` and `remedy` are the sentences of postern/, with
 * %(name)s where they name something of `names`: so a page can say them in its own language.
 */
export function fault(field, reason, remedy, names = {}) {
  return { field, reason, remedy, names };
}

/** All that is wrong with one row, at once. */
export class FaultError extends Error {
  constructor(faults) {
    super("A row has faults.");
    this.name = "FaultError";
    this.faults = faults;
  }
}

/** A sentence with its names filled in; `words` may hold it in another language. */
export function filled(sentence, names = {}, words = {}) {
  return (words[sentence] ?? sentence).replaceAll(/%\((\w+)\)s/g, (_, name) => String(names[name] ?? ""));
}

const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const AROUND = new RegExp(`^${SPACE}+|${SPACE}+$`, "g");

/** Text without space around it; as in Python, a byte order mark is no space. */
export function stripped(text) {
  return text.replace(AROUND, "");
}
