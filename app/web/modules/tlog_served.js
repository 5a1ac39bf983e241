// What the log serves (C2SP tlog-tiles, below /audit/log), and what follows when it does not come.

import { ProofError } from "./tlog_tree.js";

const LOG = "/audit/log/";

/** What was to be read did not come; nothing follows from that for the log. */
class LogError extends Error {
  constructor(status) {
    super(`The log answered ${status}.`);
    this.name = "LogError";
    this.status = status;
  }
}

class NotThereError extends Error {}

/** The bytes at a path of the log. */
export async function served(path) {
  const answer = await fetch(LOG + path);
  if (answer.status === 404) throw new NotThereError(path);
  if (!answer.ok) throw new LogError(answer.status);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Null for what is not there; any other error goes on. */
export function unlessMissing(error) {
  if (error instanceof NotThereError) return null;
  throw error;
}

/** What a platform withholds of what it signed refutes it; any other error goes on. */
export function unlessRefuted(error) {
  if (!(error instanceof ProofError || error instanceof NotThereError)) throw error;
}
