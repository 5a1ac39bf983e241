// The drawings of an answer: when, from where to where, and what belongs together. Each is a table
// first; static/js/charts.js draws above it.

import { draw as drawn } from "./charts.js";
import { day, inNumbers, say } from "./say.js";
import { at, countryName, rowOf, titleOf } from "./search_parts.js";

const LETTERS = 8; // of an id, enough to tell reports apart

/** Fill and draw the figures of an answer; `beside` maps an indicator's id to what its report names. */
export function draw(about, beside = new Map()) {
  const told = about.hits.filter((hit) => hit.indicator);
  fill("search-timeline", timelineRows(told), 2);
  fill("search-corridors", corridorRows(told), 1);
  const sharesReport = new Set(told.map((hit) => hit.report.id)).size < told.length;
  const hasBeside = [...beside.values()].some((found) => found.length);
  fill("search-graph", sharesReport || hasBeside ? graphRows(told, about, beside) : [], 1);
  const places = [...at("search-figures").children];
  at("search-figures").hidden = places.every((place) => place.hidden);
}

async function fill(id, rows, fewest) {
  const place = at(id);
  place.querySelector("tbody").replaceChildren(...rows);
  place.hidden = rows.length < fewest;
  if (place.hidden) return;
  at("search-figures").hidden = false;
  await drawn(place.querySelector("figure"));
}

function timelineRows(hits) {
  return hits
    .filter(({ indicator }) => indicator.observed_from || indicator.observed_to)
    .map((hit) => {
      const { observed_from: first, observed_to: last } = hit.indicator;
      const days = [...new Set([first, last].filter(Boolean))];
      const seen = document.createElement("span");
      days.forEach((on, place) => {
        if (place) seen.append(" – ");
        const time = document.createElement("time");
        time.dateTime = on;
        time.textContent = day(on);
        seen.append(time);
      });
      return rowOf([seen, hit.organisation.name, `${titleOf(hit.indicator)} (${say(`band.${hit.band}`)})`]);
    });
}

function corridorRows(hits) {
  const counts = new Map();
  for (const id of new Set(hits.map((hit) => hit.report.id))) {
    const { shipment } = hits.find((hit) => hit.report.id === id).report;
    const { origin_country: origin, destination_country: destination } = shipment;
    if (!origin || !destination) continue;
    const way = `${origin} ${destination}`;
    counts.set(way, (counts.get(way) ?? 0) + 1);
  }
  return [...counts].map(([way, count]) => {
    const [origin, destination] = way.split(" ");
    const row = rowOf([countryName(origin), countryName(destination), inNumbers(count)]);
    row.cells[0].dataset.country = origin;
    row.cells[1].dataset.country = destination;
    row.cells[2].dataset.value = count;
    row.cells[2].className = "number";
    return row;
  });
}

function graphRows(hits, about, beside) {
  const asked = { id: "asked", words: say("search.asked_for"), kind: say(`kind.${about.entry.kind}`), centre: true };
  const rows = [];
  const reports = new Set();
  for (const hit of hits) {
    const held = nodeOf(hit);
    const report = reportOf(hit);
    rows.push(relation(asked, say("search.matches"), held));
    rows.push(relation(held, say("search.part_of"), report));
    if (reports.has(report.id)) continue;
    reports.add(report.id);
    const others = hits
      .filter((each) => each.report.id === hit.report.id)
      .flatMap((each) => beside.get(each.indicator.id) ?? []);
    const known = new Set(hits.map((each) => each.indicator.id));
    for (const other of others) {
      if (known.has(other.indicator.id)) continue;
      known.add(other.indicator.id);
      rows.push(relation(report, say("search.names"), nodeOf(other)));
    }
  }
  return rows;
}

function nodeOf({ indicator, organisation }) {
  const words = `${titleOf(indicator)} (${organisation.name})`;
  return { id: indicator.id, words, kind: say(`kind.${indicator.kind}`) };
}

function reportOf({ report }) {
  const words = say("search.report", { id: report.id.slice(-LETTERS) });
  return { id: report.id, words, kind: say("search.report_kind") };
}

function relation(from, words, to) {
  const row = rowOf([from.words, words, to.words]);
  for (const [place, node] of [[0, from], [2, to]]) {
    const { dataset } = row.cells[place];
    dataset.node = node.id;
    dataset.kind = node.kind;
    if (node.centre) dataset.centre = "";
  }
  return row;
}
