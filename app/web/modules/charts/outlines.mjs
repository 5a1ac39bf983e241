// Makes countries.json, the outlines that maps are drawn on: coarse, but finer around the Benelux.
// Source: Natural Earth 4.1.0, 1:50m (public domain), as the package world-atlas redistributes it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { feature, quantize } from "topojson-client";
import { filter, filterWeight, presimplify, simplify, sphericalTriangleArea } from "topojson-simplify";

import { unrolled } from "./antimeridian.js";

const ABOUT =
  "Outlines of countries: Natural Earth 4.1.0, 1:50m, public domain; packed as TopoJSON by world-atlas (ISC), " +
  "simplified. code: ISO 3166-1 alpha-2. centres: degrees east and north.";
const COARSE = 3e-5; // steradians that a corner of an outline must be worth
// Where outlines are finer, in degrees, the finest first.
const FINER = [
  { west: -3, east: 13, south: 47.5, north: 55.5, worth: 2e-7 },
  { west: -11, east: 20, south: 43, north: 60, worth: 1.5e-6 },
];
const GRID = 20_000; // steps of a coordinate
const LEFT_OUT = new Set(["AQ"]); // no post, and a third of a map's height

/** Writes countries.json into a folder, the same bytes for the same package. */
export function writeOutlines(modules, out) {
  const atlas = JSON.parse(readFileSync(join(modules, "node_modules", "world-atlas", "countries-50m.json")));
  const known = JSON.parse(readFileSync(join(modules, "charts", "country_codes.json")));
  const { countries } = atlas.objects;
  for (const each of countries.geometries) {
    const code = known.codes[each.id] ?? known.names[each.properties.name];
    each.properties = code ? { code } : {};
    delete each.id;
  }
  countries.geometries = countries.geometries.filter(({ properties }) => !LEFT_OUT.has(properties.code));
  delete atlas.objects.land;
  const centres = { ...known.centres, ...centresOf(feature(atlas, countries).features) };
  const weighed = presimplify(atlas, sphericalTriangleArea);
  for (const spot of weighed.arcs.flat()) spot[2] *= COARSE / worthAt(spot);
  const simple = simplify(weighed, COARSE);
  const seen = quantize(filter(simple, filterWeight(simple, COARSE, sphericalTriangleArea)), GRID);
  seen.objects.countries.geometries = seen.objects.countries.geometries.filter(({ type }) => type);
  const ordered = Object.fromEntries(Object.entries(centres).sort(([one], [other]) => (one < other ? -1 : 1)));
  writeFileSync(join(out, "countries.json"), `${JSON.stringify({ about: ABOUT, centres: ordered, ...seen })}\n`);
}

function worthAt([east, north]) {
  const found = FINER.find((each) => east > each.west && east < each.east && north > each.south && north < each.north);
  return found?.worth ?? COARSE;
}

/** The middle of the largest piece of each country, in hundredths of a degree. */
function centresOf(features) {
  const found = {};
  const sizes = {};
  for (const { properties: { code }, geometry } of features) {
    if (!code) continue;
    const pieces = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    for (const [ring] of pieces) {
      const { size, middle } = pieceOf(unrolled(ring));
      if (size <= (sizes[code] ?? 0)) continue;
      sizes[code] = size;
      found[code] = middle.map((each) => Math.round(each * 100) / 100);
    }
  }
  return found;
}

function pieceOf(ring) {
  let [doubled, east, north] = [0, 0, 0];
  for (let place = 0; place + 1 < ring.length; place += 1) {
    const [[x, y], [nextX, nextY]] = [ring[place], ring[place + 1]];
    const cross = x * nextY - nextX * y;
    doubled += cross;
    east += (x + nextX) * cross;
    north += (y + nextY) * cross;
  }
  const turned = ((east / (3 * doubled) + 540) % 360) - 180; // back between 180 degrees west and east
  return { size: Math.abs(doubled), middle: [turned, north / (3 * doubled)] };
}
