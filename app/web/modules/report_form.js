// Reports in the form in which they are sent: pseudonyms, closed words, no clear value.
// The counterpart of postern/report_form.py.

import { toBase64url } from "./bytes.js";
import { termsOnWire } from "./terms.js";

const NOT_OF_PEOPLE = new Set(["induction_point", "item"]);

/**
 * One report; `pseudonyms` are those of the row's sightings, in their order.
 *
 * With a sealer, each indicator carries its value and the row's note in envelopes.
 */
export async function reportOf(clientKey, row, pseudonyms, sealer = null) {
  const indicators = row.sightings.map((sighting, place) => indicatorOf(sighting, pseudonyms[place], row));
  if (sealer) {
    for (const [place, sighting] of row.sightings.entries()) {
      const sealed = await sealedOf(sealer, `${clientKey}/${place}`, sighting, pseudonyms[place], row.note);
      if (Object.keys(sealed).length) indicators[place].sealed = sealed;
    }
  }
  const found = { client_key: clientKey, indicators };
  if (Object.keys(row.shipment).length) found.shipment = row.shipment;
  if (row.terms.barrier_step !== null) found.barrier_step = row.terms.barrier_step;
  return found;
}

function indicatorOf(sighting, pseudonym, row) {
  const found = { kind: sighting.kind, role: sighting.role, ...termsOnWire(row.terms) };
  if (sighting.flags.length) found.quality = [...new Set(sighting.flags)].sort();
  if (NOT_OF_PEOPLE.has(sighting.kind)) delete found.subject_category;
  if (sighting.place !== null) return { ...found, place: sighting.place };
  const elements = pseudonym.facets
    .filter((each) => each.element !== null)
    .map((each) => ({ facet: each.number, element: toBase64url(each.element) }));
  return { ...found, epoch: pseudonym.epoch, elements };
}

async function sealedOf(sealer, record, sighting, pseudonym, note) {
  const isClear = sighting.place !== null;
  const where = {
    kind: sighting.kind,
    epoch: isClear ? 0 : pseudonym.epoch,
    token: isClear ? null : pseudonym.facets[0].token,
    record,
  };
  const sealed = {};
  if (Object.keys(sighting.fields).length) sealed.value = await sealer.value(where, sighting.fields);
  if (note) sealed.note = await sealer.note(where, note);
  for (const part of Object.keys(sealed)) sealed[part] = toBase64url(sealed[part]);
  return sealed;
}
