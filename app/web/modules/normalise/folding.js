// From any script and case to lower-case ASCII, by table; and from spelling to sound.
// The counterpart of postern/normalise/folding.py; both read the same tables.

import FOLD from "../../../../postern/normalise/tables/fold.json" with { type: "json" };
import SOUND from "../../../../postern/normalise/tables/sound.json" with { type: "json" };

const FIRST_NON_ASCII = 128;
const DIGIT_IN_WORD = new RegExp(SOUND.digit_in_word, "g");
const VOWELS = new Set(SOUND.vowels);
const SILENT = new Set(SOUND.silent);
const TRANSLATION = translation();

/** `text` in [a-z0-9'-/,. ], single spaces, none at the ends. */
export function fold(text) {
  let folded = "";
  for (const letter of text) folded += translated(letter.codePointAt(0));
  return folded.replace(/ +/g, " ").replace(/^ | $/g, "");
}

/** Folded `text` without anything but [a-z0-9]. */
export function alphanumeric(text) {
  return fold(text).replace(/[^a-z0-9]/g, "");
}

/** Folded text with a digit between two letters read as the letter it looks like: th0mas. */
export function healDigits(folded) {
  return folded.replace(DIGIT_IN_WORD, (digit) => SOUND.looks_like[digit]);
}

/** `word` (folded) with ae, oe, ue and ij written as one letter, as umlauts fold to one. */
export function digraphs(word) {
  for (;;) {
    const before = word;
    for (const [written, short] of SOUND.digraphs) word = word.replaceAll(written, short);
    if (word === before) return word;
  }
}

/** The sound of `word` ([a-z0-9] only): consonants in order, the first letter kept. */
export function skeleton(word) {
  if (!word) return "";
  for (const [written, sound] of SOUND.skeleton) word = word.replaceAll(written, sound);
  const kept = [VOWELS.has(word[0]) ? "a" : word[0]];
  for (const letter of word.slice(1)) {
    if (!SILENT.has(letter) && letter !== kept.at(-1)) kept.push(letter);
  }
  return kept.join("");
}

/** The first letter of `word` as it sounds; unlike in a skeleton, vowels stay apart. */
export function soundedInitial(word) {
  return SOUND.initials[word[0]] ?? word[0];
}

/** Whether one insertion, deletion, substitution or swap of neighbours makes them equal. */
export function oneEditApart(left, right) {
  let start = 0;
  while (start < Math.min(left.length, right.length) && left[start] === right[start]) start += 1;
  const [one, other] = [left.slice(start), right.slice(start)];
  return (
    one.slice(1) === other.slice(1) ||
    one.slice(1) === other ||
    one === other.slice(1) ||
    (one.slice(0, 2) === swapped(other) && one.slice(2) === other.slice(2))
  );
}

/** The first two letters in the other order; of a single letter, itself. */
function swapped(text) {
  return [...text.slice(0, 2)].reverse().join("");
}

function translated(code) {
  const known = TRANSLATION.get(code);
  if (known !== undefined) return known;
  let folded;
  if (within(code, FOLD.mark_ranges)) {
    folded = "";
  } else if (code < FIRST_NON_ASCII || within(code, FOLD.symbol_ranges)) {
    folded = " ";
  } else {
    const letters = [...String(code)].map((digit) => FOLD.code_letters[Number(digit)]);
    folded = ` u${letters.join("")} `;
  }
  TRANSLATION.set(code, folded);
  return folded;
}

function within(code, ranges) {
  return ranges.some(([low, high]) => low <= code && code <= high);
}

function translation() {
  const codes = new Map();
  for (const [letter, folded] of Object.entries(FOLD.letters)) {
    codes.set(letter.codePointAt(0), folded);
  }
  for (const letter of "abcdefghijklmnopqrstuvwxyz") {
    codes.set(letter.codePointAt(0), letter);
    codes.set(letter.codePointAt(0) - 32, letter);
  }
  for (const kept of `0123456789${FOLD.kept}`) codes.set(kept.codePointAt(0), kept);
  return codes;
}
