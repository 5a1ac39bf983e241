// Shows one answer: whose it is, what agrees, under which conditions, and what to do with it.

import { day, inNumbers, language, moment, say } from "./say.js";
import { draw } from "./search_figures.js";
import { followUp } from "./search_follow.js";
import { at, countryName, fresh, rowOf, titleOf } from "./search_parts.js";

const NO_MEANING = new Set(["unknown", "none"]); // values that say nothing

/** Show the answer to one query; `about` has hits, more, lookup, asked_at, entry, query, grounds. */
export function show(about) {
  const { hits } = about;
  const owners = [...Map.groupBy(hits, (hit) => hit.organisation.code).values()];
  at("search-result-title").textContent = owners.length
    ? say("search.found", { num: owners.length })
    : say("search.nobody");
  const when = say("search.logged", { at: moment(about.asked_at) });
  const line = about.line === undefined ? [] : [say("search.line", { line: about.line })];
  at("search-result-about").textContent = [...line, say(`kind.${about.entry.kind}`), when].join(" · ");
  at("search-nothing").hidden = owners.length > 0;
  for (const id of ["search-lead", "search-helps"]) at(id).hidden = !owners.length;
  at("search-more").hidden = !about.more;
  at("search-owners").replaceChildren(...owners.map((held) => ownerSection(held, about)));
  at("search-result").hidden = false;
  followUp(about);
  draw(about);
  at("search-result-title").focus();
}

/** "2 × metadata, 1 × presence" of hits; one that says nothing for none. */
export function counted(hits) {
  if (!hits.length) return say("search.nothing");
  const byLevel = Map.groupBy(hits, (hit) => hit.level);
  return ["request", "metadata", "presence"]
    .filter((level) => byLevel.has(level))
    .map((level) => say("search.count", { count: byLevel.get(level).length, level: say(`level.${level}`) }))
    .join(", ");
}

function ownerSection(hits, about) {
  const section = fresh("search-owner");
  const { code, name, sector, country } = hits[0].organisation;
  tell(section, "owner", name);
  const own = code === at("search").dataset.own ? [say("search.own")] : [];
  tell(section, "about", [...own, say(`sector.${sector}`), countryName(country)].join(", "));
  section.querySelector("ul").append(...hits.map((hit) => hitSheet(hit, about)));
  return section;
}

function hitSheet(hit, about) {
  const sheet = fresh("search-hit");
  sheet.hit = hit;
  const { indicator, report } = hit;
  tell(sheet, "band", say(`band.${hit.band}`));
  if (hit.band === "strong") sheet.querySelector("[data-say=band]").classList.add("badge-good");
  tell(sheet, "level", say(`level.${hit.level}`));
  tell(sheet, "precision", precision(hit));
  tell(sheet, "title", indicator ? titleOf(indicator) : say("search.something"));
  keep(sheet, "presence", !indicator);
  keep(sheet, "facets", Boolean(indicator));
  keep(sheet, "act", Boolean(indicator));
  const facts = indicator ? factsOf(indicator, report) : {};
  for (const name of ["observed", "corridor", "shipment", "step", "grades", "handling", "place", "expires"]) {
    tell(sheet, name, facts[name] ?? "");
    keep(sheet, name, Boolean(facts[name]));
  }
  if (!indicator) {
    sheet.querySelector(".agreements").remove();
    sheet.querySelector("dl").remove();
    return sheet;
  }
  sheet.querySelector(".agreements").append(...hit.parts.map(agreement));
  sheet.querySelector("tbody").append(...hit.facets.map(facetRow));
  tell(sheet, "points", say("search.points", { bits: inNumbers(hit.points / 10) }));
  askLink(sheet, hit, about);
  return sheet;
}

function agreement({ part, agreement: found }) {
  const item = document.createElement("li");
  item.className = `agreement agreement-${found}`;
  item.textContent = say("search.agrees", {
    part: say(`part.${part}`),
    agreement: say(`agreement.${found}`),
  });
  return item;
}

function facetRow({ facet, answer, weight }) {
  const row = rowOf([say(`facet.${facet}`), say(`answer.${answer}`), inNumbers(weight / 10)], 1);
  row.lastElementChild.className = "number";
  return row;
}

function askLink(sheet, hit, { lookup }) {
  const link = sheet.querySelector("a[data-row=ask]");
  if (hit.level !== "request") {
    link.remove();
    return;
  }
  const named = new URLSearchParams({ indicator: hit.indicator.id, lookup });
  link.href = `${at("search").dataset.ask}?${named}`;
  link.setAttribute("aria-label", say("search.ask_of", { owner: hit.organisation.name }));
}

function precision({ precision: share, band }) {
  if (share === null) return say("search.unmeasured");
  const shown = new Intl.NumberFormat(language, { style: "percent" }).format(share);
  return say("search.precision", { share: shown, band: say(`band.${band}`) });
}

function factsOf(indicator, { barrier_step: step, shipment }) {
  const grades = `${indicator.source_grade}${indicator.information_grade}`;
  return {
    observed: period(indicator),
    corridor: corridorOf(shipment),
    shipment: shipmentOf(shipment),
    step: step ? say("search.step", { step }) : "",
    grades: `${grades}, ${say(`assertion.${indicator.assertion}`)}`,
    handling: [
      say("search.marked", { tlp: indicator.tlp }),
      ...indicator.handling,
      say(`action.${indicator.permitted_action}`),
    ].join(", "),
    place: indicator.place ? Object.values(indicator.place).filter(Boolean).join(", ") : "",
    expires: day(indicator.expires_on),
  };
}

function period({ observed_from: first, observed_to: last }) {
  if (first && last && first !== last) return say("search.span", { first: day(first), last: day(last) });
  return first || last ? day(first || last) : "";
}

function corridorOf({ origin_country: origin, destination_country: destination }) {
  if (!origin && !destination) return "";
  return say("search.corridor", { origin: countryName(origin), destination: countryName(destination) });
}

function shipmentOf(shipment) {
  const told = (list, value) => (value && !NO_MEANING.has(value) ? [say(`${list}.${value}`)] : []);
  return [
    ...told("substance", shipment.substance),
    ...told("service", shipment.service),
    ...(shipment.weight_band ? [say("search.grams", { band: shipment.weight_band })] : []),
    ...(shipment.value_band ? [say("search.value", { band: shipment.value_band })] : []),
    ...told("concealment", shipment.concealment),
  ].join(", ");
}

function tell(sheet, name, words) {
  const place = sheet.querySelector(`[data-say="${name}"]`);
  if (place) place.textContent = words;
}

function keep(sheet, name, isKept) {
  if (isKept) return;
  for (const row of sheet.querySelectorAll(`[data-row="${name}"]`)) row.remove();
}
