// What the pages' modules make of the known answers for shared keys: JSON in by standard input, JSON
// out. The first argument is the folder of the modules, with their packages.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const module = (name) => import(pathToFileURL(join(folder, name)));
const { fromBase64url } = await module("bytes.js");
const { SigningIdentity } = await module("identity.js");
const { readSharing } = await module("key_sharing.js");
const { openedShared } = await module("shared_evaluation.js");
const { messageOf, signedAs } = await module("signed_evaluation.js");
const { scalarBytes, shareKey, weights } = await module("threshold.js");

let written = "";
for await (const piece of process.stdin) written += piece;
const { vectors, sharings } = JSON.parse(written);

const octets = (text) => new Uint8Array(Buffer.from(text, "hex"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const publicKey = fromBase64url(vectors.public_key);
const sharing = readSharing(vectors.sharing, publicKey);
const cells = vectors.inputs.map((input, place) => ({
  input: octets(input),
  blind: octets(vectors.blinds[place]),
  blinded: octets(vectors.blinded[place]),
}));

function outcome({ parts }) {
  const cheating = [];
  try {
    const key = { epoch: vectors.epoch, sharing };
    const answer = { epoch: vectors.epoch, parts };
    const elements = openedShared(cells, answer, vectors.kind, key, (names) => cheating.push(...names));
    return { elements: elements.map(hex), cheating };
  } catch (error) {
    return { error: error.name, holders: error.names?.holders, away: error.names?.away };
  }
}

const { question } = vectors;
const asked = {
  organisation: question.organisation,
  kind: vectors.kind,
  epoch: vectors.epoch,
  commitment: sharing.commitments[0],
  purpose: question.purpose,
  elements: cells.map((cell) => cell.blinded),
};
const identity = new SigningIdentity(octets(question.identity_seed));
const requestId = octets(question.request_id);
console.log(
  JSON.stringify({
    share_keys: sharing.holders.map(({ number }) => hex(shareKey(sharing.commitments, number))),
    weights: vectors.weights.map((each) =>
      Object.fromEntries([...weights(Object.keys(each).map(Number))].map(([number, found]) => [number, hex(scalarBytes(found))])),
    ),
    message: hex(messageOf(asked, requestId, question.asked_at)),
    signed: signedAs(identity, asked, requestId, question.asked_at),
    outcomes: vectors.answers.map(outcome),
    sharings: sharings.map((each) => readSharing(each, publicKey) !== null),
  }),
);
