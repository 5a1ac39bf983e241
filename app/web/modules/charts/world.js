// The outlines of countries and how the map stands: a cylinder after Miller, in degrees.

import { feature } from "topojson-client";

import { parted } from "./antimeridian.js";

export const OUTLINES = "/static/modules/countries.json";
export const END = 9; // CSS pixels of the dot of a country
const EAST = [-170, 180]; // degrees that a whole map shows
const NORTH = [-56, 78];
const BENELUX = [[2.3, 49.4], [7.3, 53.6]];
const MOST = 60; // times that the map is enlarged at most
const AIR = 0.72; // of the picture that what is fitted takes

let fetched = null;

/** {geoJSON, centres: Map of alpha-2 codes to [x, y]}; what failed is fetched anew the next time. */
export function outlines() {
  fetched ??= fetchOutlines().catch((error) => {
    fetched = null;
    throw error;
  });
  return fetched;
}

async function fetchOutlines() {
  const answer = await fetch(OUTLINES);
  if (!answer.ok) throw new Error(`The outlines of countries: the platform said ${answer.status}.`);
  const known = await answer.json();
  const geoJSON = feature(known, known.objects.countries);
  for (const { geometry } of geoJSON.features) {
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    const rings = polygons.flatMap(([outer, ...holes]) => parted(outer).map((part) => [part, ...holes]));
    geometry.type = "MultiPolygon";
    geometry.coordinates = rings.map((polygon) => polygon.map((ring) => ring.map(([x, y]) => [x, miller(y)])));
  }
  const centres = Object.entries(known.centres).map(([code, [east, north]]) => [code, [east, miller(north)]]);
  return { geoJSON, centres: new Map(centres) };
}

/** The part of a map's option that says which area fills the picture at a zoom of one. */
export function areaOf(width, height) {
  return {
    boundingCoords: [[EAST[0], miller(NORTH[1])], [EAST[1], miller(NORTH[0])]],
    layoutCenter: ["50%", "50%"],
    layoutSize: Math.min(width, height * (wide() / high())),
  };
}

/** {center, zoom} that show all of some spots; a single one with its surroundings. */
export function fitting(spots, width, height) {
  if (!spots.length) return framed("world", width, height);
  const [xs, ys] = [spots.map(([x]) => x), spots.map(([, y]) => y)];
  const box = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = AIR * Math.min(width / Math.max(box[1] - box[0], 4), height / Math.max(box[3] - box[2], 4));
  const whence = areaOf(width, height).layoutSize / wide();
  return {
    center: [(box[0] + box[1]) / 2, (box[2] + box[3]) / 2],
    zoom: Math.min(MOST, Math.max(1, scale / whence)),
  };
}

/** {center, zoom} that show the world, or the Benelux. */
export function framed(what, width, height) {
  if (what === "benelux") return fitting(BENELUX.map(([east, north]) => [east, miller(north)]), width, height);
  return { center: [(EAST[0] + EAST[1]) / 2, (miller(NORTH[0]) + miller(NORTH[1])) / 2], zoom: 1 };
}

function wide() {
  return EAST[1] - EAST[0];
}

function high() {
  return miller(NORTH[1]) - miller(NORTH[0]);
}

/** Degrees on the map of a latitude, after O. M. Miller (1942): 1.25 asinh(tan(0.8 φ)). */
function miller(north) {
  const turn = (north * Math.PI) / 180;
  return (1.25 * Math.asinh(Math.tan(0.8 * turn)) * 180) / Math.PI;
}
