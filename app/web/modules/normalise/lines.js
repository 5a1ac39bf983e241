// One address line, read: the house number with its suffix and box, and the core of the street.
// The counterpart of postern/normalise/lines.py.

import POSTAL from "../../../../postern/normalise/tables/postal.json" with { type: "json" };

import { digraphs, oneEditApart } from "./folding.js";
import { isDigits, isLetters, withoutSuffix } from "./text.js";

const TOKEN = /[a-z]+|[0-9]+|[/\-.,']/g;
const GLUE = "~"; // stands between a number and a letter that touch: 12bis, 43a
const SEPARATORS = new Set("/-.,'~");
const YEAR_DIGITS = 4;
const NUMBER_WORDS = new Set(POSTAL.number_words);
const ORDINALS = new Set(POSTAL.ordinal_words);
const BOX_WORDS = new Set(POSTAL.box_words);
const LETTER_BOX_WORDS = new Set(POSTAL.letter_box_words);
const SUFFIXES = new Map(Object.entries(POSTAL.number_suffix));
const STREET_PRE = new Set(Object.keys(POSTAL.street_pre));
const STREET_POST = new Set(Object.keys(POSTAL.street_post));
const STOP = new Set(POSTAL.street_stop);
const TITLES = new Map(Object.entries(POSTAL.titles));
const POSTE_RESTANTE = new Map(Object.entries(POSTAL.poste_restante));

const NOTHING = {
  street: "",
  number: "",
  suffix: "",
  box: "",
  several: false,
  posteRestante: false,
};

/** What a folded line holds; null for a line that names whom the post is in care of. */
export function readLine(folded) {
  if (POSTAL.care_of.some((beginning) => folded.startsWith(beginning))) return null;
  const tokens = withoutNumberWords(tokensOf(folded));
  const [place, leading] = houseNumber(tokens);
  if (place === null) {
    const words = wordsOf(tokens);
    const poste = posteRestante(words);
    return { ...NOTHING, street: poste || streetCore(words), posteRestante: Boolean(poste) };
  }
  const tail = afterNumber(tokens, place, leading);
  const words = wordsOf(leading ? tokens.slice(tail.end) : tokens.slice(0, place));
  const poste = posteRestante(words);
  return {
    street: poste || streetCore(words),
    number: withoutZeros(tokens[place]),
    suffix: tail.suffix,
    box: tail.box,
    several: tail.several,
    posteRestante: Boolean(poste),
  };
}

/** The words of a street without its type, stop words and final s, written as one word. */
export function streetCore(words) {
  const core = withoutType(words);
  const kept = core.filter((word) => !STOP.has(word));
  const joined = (kept.length ? kept : core).map(streetWord).join("");
  return withoutGluedSuffix(joined);
}

function tokensOf(folded) {
  const tokens = [];
  let end = -1;
  for (const match of folded.matchAll(TOKEN)) {
    const [token] = match;
    const touches = match.index === end && !SEPARATORS.has(token[0]);
    if (touches && !SEPARATORS.has(tokens.at(-1))) tokens.push(GLUE);
    tokens.push(token);
    end = match.index + token.length;
  }
  return tokens;
}

function wordsOf(tokens) {
  return tokens.filter((token) => !SEPARATORS.has(token));
}

function withoutNumberWords(tokens) {
  return tokens.filter((token, place) => {
    if (!NUMBER_WORDS.has(token)) return true;
    let ahead = place + 1;
    while (ahead < tokens.length && (tokens[ahead] === "." || tokens[ahead] === GLUE)) ahead += 1;
    return !(ahead < tokens.length && isDigits(tokens[ahead]));
  });
}

/** The place of the house number, and whether it leads the line. */
function houseNumber(tokens) {
  const numbers = tokens.flatMap((token, place) => (isDigits(token) ? [place] : []));
  if (!numbers.length) return [null, false];
  const leading = tokens.findIndex((token) => !SEPARATORS.has(token));
  const group = trailingGroup(tokens);
  if (numbers[0] === leading && !(isOrdinal(tokens, leading) && numbers.length > 1)) {
    return [leading, true];
  }
  if (group.length) {
    for (const place of group.slice(0, -1)) {
      if (!isYear(tokens[place]) && !namesTheStreet(tokens, place)) return [place, false];
    }
    return [group.at(-1), false];
  }
  return [numbers.at(-1), false];
}

/** The places of the numbers that end the line, with what may stand between and after them. */
function trailingGroup(tokens) {
  let start = tokens.length;
  while (
    start > 0 &&
    (SEPARATORS.has(tokens[start - 1]) ||
      isDigits(tokens[start - 1]) ||
      tokens[start - 1].length === 1 ||
      BOX_WORDS.has(tokens[start - 1]) ||
      SUFFIXES.has(tokens[start - 1]))
  ) {
    start -= 1;
  }
  const places = [];
  for (let place = start; place < tokens.length; place += 1) {
    if (isDigits(tokens[place])) places.push(place);
  }
  return places;
}

/** Whether a leading number belongs to the street: "3. Foo 12", "2e straat 5", "1 maja 12". */
function isOrdinal(tokens, place) {
  const after = [...tokens.slice(place + 1, place + 3), "", ""];
  if (after[0] === "." && isLetters(after[1])) return true;
  if (after[0] === GLUE && ORDINALS.has(after[1]) && !SUFFIXES.has(after[1])) return true;
  const word = SEPARATORS.has(after[0]) ? after[1] : after[0];
  return POSTAL.months.some((month) => word.startsWith(month));
}

function isYear(token) {
  return token.length === YEAR_DIGITS && ["18", "19", "20"].includes(token.slice(0, 2));
}

/** Whether a number follows a type and is followed by another number: "Straße 614 5". */
function namesTheStreet(tokens, place) {
  const after = tokens.slice(place + 1, place + 3).filter((piece) => piece !== ",");
  return (
    isDigits(after[0] ?? "") &&
    wordsOf(tokens.slice(0, place)).every((word) => STREET_PRE.has(word) || STREET_POST.has(word))
  );
}

function afterNumber(tokens, place, leading) {
  const tail = { end: place + 1, suffix: "", box: "", several: false };
  const number = BigInt(tokens[place]);
  while (tail.end < tokens.length) {
    const ahead = [...tokens.slice(tail.end, tail.end + 4), "", "", ""];
    if (ahead[0] === "," && leading && !startsBox(ahead[1], ahead[2], ahead[3])) break;
    const read = readAfterNumber(ahead, tail, number, leading);
    if (read === 0) break;
    tail.end += read;
  }
  return tail;
}

/** Reads the next thing after the number into `tail`; how many tokens it took, 0 for none. */
function readAfterNumber(ahead, tail, number, leading) {
  const [first, second, third] = ahead;
  if ((first === "-" || first === "/") && isDigits(second)) {
    if (first === "-" && BigInt(second) > number) tail.several = true;
    else tail.box ||= withoutZeros(second);
    return 2;
  }
  if (first === GLUE && isSuffix(second)) {
    tail.suffix ||= SUFFIXES.get(second) ?? second;
    return 2;
  }
  if (SEPARATORS.has(first)) return 1;
  if (startsBox(first, second, third)) return 1 + readBox(ahead.slice(1, 4), tail);
  if (isSuffix(first)) {
    if (leading && belongsToStreet(first, second, tail)) return 0;
    tail.suffix ||= SUFFIXES.get(first) ?? first;
    return 1;
  }
  if (isDigits(first) && !leading) {
    tail.box ||= withoutZeros(first);
    return 1;
  }
  return 0;
}

function isSuffix(word) {
  return SUFFIXES.has(word) || (word.length === 1 && isLetters(word));
}

function startsBox(word, second, third) {
  return (
    BOX_WORDS.has(word) ||
    (LETTER_BOX_WORDS.has(word) && (isDigits(second) || (second === GLUE && isDigits(third))))
  );
}

/** Reads the value of a box, such as 3, b2 or b/2; how many tokens it took, 0 for none. */
function readBox(ahead, tail) {
  let value = "";
  let count = 0;
  for (const token of ahead) {
    if (isDigits(token) || (token.length === 1 && isLetters(token))) value += withoutZeros(token);
    else if (![".", GLUE, "/", "-"].includes(token)) break;
    count += 1;
  }
  if (!value) return 0;
  tail.box ||= value;
  return count;
}

/** Whether a letter that stands alone after a leading number begins the street. */
function belongsToStreet(letter, following, tail) {
  if (["", ",", "-"].includes(following) || BOX_WORDS.has(following)) return false;
  if (following === "'" || following === "." || tail.box) return true;
  return STREET_PRE.has(letter) || (STOP.has(letter) && !STREET_PRE.has(following));
}

function withoutZeros(number) {
  return number.replace(/^0+/, "") || number.slice(0, 1);
}

function posteRestante(words) {
  for (const count of [1, 2, 3]) {
    const name = POSTE_RESTANTE.get(words.slice(0, count).join(""));
    if (name !== undefined) return name;
  }
  return "";
}

function withoutType(words) {
  if (words.length > 1 && STREET_PRE.has(words[0])) return words.slice(1);
  if (words.length > 1 && STREET_POST.has(words.at(-1))) return words.slice(0, -1);
  if (words.length > 1 && misspeltType(words[0])) return words.slice(1);
  if (words.length > 1 && misspeltType(words.at(-1))) return words.slice(0, -1);
  if (!words.length) return words;
  const last = words.at(-1);
  const rest = withoutGluedSuffix(last);
  return [...words.slice(0, -1), rest === last ? withoutMisspeltSuffix(last) : rest];
}

function misspeltType(word) {
  return POSTAL.misspelt_type.some((written) => oneEditApart(word, written));
}

function withoutMisspeltSuffix(word) {
  for (const suffix of POSTAL.misspelt_suffix) {
    for (const length of [suffix.length, suffix.length + 1, suffix.length - 1]) {
      const [rest, tail] = [word.slice(0, -length), word.slice(-length)];
      if (rest.length >= POSTAL.misspelt_min_rest && oneEditApart(tail, suffix)) return rest;
    }
  }
  return word;
}

function streetWord(word) {
  const title = TITLES.get(word);
  if (title !== undefined) return title;
  const long = word.length >= POSTAL.final_s_min && word.endsWith("s");
  return digraphs(long ? word.slice(0, -1) : word);
}

function withoutGluedSuffix(word) {
  for (const suffix of POSTAL.glued_suffix) {
    const rest = withoutSuffix(word, suffix);
    if (rest !== word && rest.length >= POSTAL.glued_min_rest) return rest;
  }
  return word;
}
