// What Python's strings can do and JavaScript's cannot by one call; ASCII text only.

export function withoutPrefix(text, prefix) {
  return prefix && text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

export function withoutSuffix(text, suffix) {
  return suffix && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

export function isDigits(text) {
  return /^[0-9]+$/.test(text);
}

export function isLetters(text) {
  return /^[a-z]+$/.test(text);
}

/** Whether a pattern of the tables fits the whole text. */
export function fitsWhole(pattern, text) {
  return new RegExp(`^(?:${pattern})$`).test(text);
}

/** Sorted by code unit: what is sorted here is of [a-z0-9] only. */
export function sorted(words) {
  return [...words].sort(order);
}

export function order(left, right) {
  return left < right ? -1 : Number(left > right);
}

/** `words` without repetition, in order of their first standing. */
export function unique(words) {
  return [...new Set(words)];
}
