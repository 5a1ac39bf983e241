// From a canonical form to its facets: the few strings whose equality means "probably the same".
// The counterpart of postern/facets.py and postern/facet_kinds.py.

import { skeleton, soundedInitial } from "./normalise/folding.js";
import { NORMALISER_VERSION, normalise } from "./normalise/index.js";
import { order, sorted, unique } from "./normalise/text.js";

const MAX_POSTAL_FACETS = 16;
const LONGEST = 2; // words of a name that are looked at one by one

const POSTAL_FACETS = [
  [2, "E4*S4"],
  [1, "EK*P"],
  [8, "NK*P3"],
  [7, "TI*C3*H"],
  [3, "P*H"],
  [4, "SK*H"],
  [6, "NI*R3"],
  [5, "S4*HS*CT"],
  [12, "NK*HT"],
  [9, "NS*P*HT"],
  [13, "BT*P"],
  [10, "R3*P*HT"],
  [11, "T3*P*HT"],
];

const OTHER_FACETS = [
  [20, "PHONE"],
  [21, "PGP"],
  [22, "EMAIL"],
  [23, "PAYMENT"],
  [24, "ITEM"],
  [25, "ITEM*BATCH"],
  [26, "VENDOR*MARKET"],
  [27, "VENDOR"],
  [28, "VENDOR*STRIPPED"],
  [29, "VENDOR*SOUND"],
  [30, "POINT"],
];

/** Facet number -> kind, of every facet. */
export const FACETS = new Map([...POSTAL_FACETS, ...OTHER_FACETS]);

const NUMBERS = new Map([...FACETS].map(([number, kind]) => [kind, number]));

/** The kind of evaluation key for each kind of value; induction points are matched in clear. */
export const EVALUATION_KIND = new Map([
  ["party", "postal"],
  ["address", "postal"],
  ["vendor", "vendor"],
  ["pgp", "pgp"],
  ["phone", "phone"],
  ["email", "email"],
  ["payment", "payment"],
  ["item", "item"],
]);

const MADE_OF = new Map([
  ["party", postalFacets],
  ["address", postalFacets],
  ["vendor", handleFacets],
  ["item", schemeFacets],
  ["payment", schemeFacets],
  ["phone", (form) => [named("PHONE", form.text)]],
  ["pgp", (form) => [named("PGP", form.text)]],
  ["email", (form) => [named("EMAIL", form.text)]],
  ["induction_point", (form) => [named("POINT", form.text)]],
]);

/** The facets {number, kind, text} of a normalised value, in order of emission; may be none. */
export function facetsOf(normalised) {
  return MADE_OF.get(normalised.kind)(normalised.form, normalised.kind);
}

/** Normalised value and facets of what was typed; throws NormalisationError. */
export function facets(kind, value) {
  return facetsOf(normalise(kind, value));
}

/** The bytes that are blinded: lp(kind "/norm" version) || text. */
export function evaluationInput(facet, evaluationKind) {
  const domain = new TextEncoder().encode(`${evaluationKind}/norm${NORMALISER_VERSION}`);
  const text = new TextEncoder().encode(facet.text);
  const input = new Uint8Array(2 + domain.length + text.length);
  input.set([domain.length >> 8, domain.length & 255]);
  input.set(domain, 2);
  input.set(text, 2 + domain.length);
  return input;
}

/** The atoms of a party or an address: name -> its values, none when it is missing. */
export function postalAtoms(form) {
  const words = form.name_words;
  const longest = [...words]
    .sort((one, other) => other.length - one.length || order(one, other))
    .slice(0, LONGEST);
  const sounds = form.streets.map(skeleton);
  const { number, city } = form;
  return {
    EK: distinct(longest.map(skeleton)),
    E4: distinct(longest.map((word) => word.slice(0, 4))),
    NI: distinct([sorted(words.map((word) => word[0])).join("")]),
    NS: distinct([sorted(words.map(soundedInitial)).join("")]),
    NK: distinct([sorted(words.map(skeleton)).join(".")]),
    TI: endsWithInitial(longest),
    BT: distinct([bothEnds(longest)]),
    SK: distinct(sounds),
    S4: distinct(sounds.map((sound) => sound.slice(0, 4))),
    R3: distinct(form.streets.map((street) => street.slice(0, 3))),
    T3: distinct(form.streets.map((street) => street.slice(-3))),
    H: distinct([number]),
    HS: distinct([number && number + form.suffix]),
    HT: distinct([sorted(number).join("")]),
    P: distinct([form.postcode]),
    P3: distinct([form.postcode.slice(0, 3)]),
    CK: distinct([skeleton(city)]),
    C3: distinct([city.slice(0, 3)]),
    CT: distinct([city.slice(-3)]),
  };
}

function endsWithInitial(longest) {
  if (longest.length < LONGEST) return distinct(longest.map((word) => word.slice(-4)));
  const [one, other] = longest;
  return distinct([
    `${one.slice(-3)}.${soundedInitial(other)}`,
    `${other.slice(-3)}.${soundedInitial(one)}`,
  ]);
}

function bothEnds(longest) {
  return longest.length === LONGEST ? sorted(longest.map((word) => word.slice(-3))).join(".") : "";
}

function distinct(values) {
  return sorted(unique(values.filter(Boolean)));
}

function postalFacets(form) {
  const atoms = postalAtoms(form);
  const made = POSTAL_FACETS.flatMap(([, kind]) =>
    product(kind.split("*").map((atom) => atoms[atom])).map((values) => named(kind, ...values)),
  );
  return made.slice(0, MAX_POSTAL_FACETS);
}

/** Every choice of one of each list; the last list varies first. */
function product(lists) {
  return lists.reduce(
    (chosen, list) => chosen.flatMap((values) => list.map((value) => [...values, value])),
    [[]],
  );
}

function handleFacets(form) {
  return [
    ...(form.market ? [named("VENDOR*MARKET", form.market, form.folded)] : []),
    named("VENDOR", form.folded),
    ...(form.stripped ? [named("VENDOR*STRIPPED", form.stripped)] : []),
    ...(form.skeleton ? [named("VENDOR*SOUND", form.skeleton)] : []),
  ];
}

function schemeFacets(form, kind) {
  if (kind !== "item") return [named("PAYMENT", form.scheme, form.text)];
  const whole = named("ITEM", form.scheme, form.text);
  if (form.scheme !== "s10") return [whole];
  const batch = form.text.slice(0, 2) + form.text.slice(2, 7) + form.text.slice(-2);
  return [whole, named("ITEM*BATCH", form.scheme, batch)];
}

function named(kind, ...atoms) {
  return { number: NUMBERS.get(kind), kind, text: `${kind}=${atoms.join("|")}` };
}
