// What can go wrong when the platform, and holders of its keys, evaluate.

/** The platform refused an evaluation, or answered what cannot be used; `status` is HTTP's. */
export class EvaluationError extends Error {
  constructor(status, sentence, problem = {}) {
    super(sentence);
    this.name = "EvaluationError";
    this.status = status;
    this.problem = problem;
  }
}

/** The key is shared among holders, who ask for the organisation's signature; nothing was sent. */
export class SignatureNeededError extends Error {
  constructor() {
    super("The holders of this key ask for your organisation's signature. Open its key file first.");
    this.name = "SignatureNeededError";
  }
}

/**
 * Holders gave parts without a valid proof, and too few others are left: `away` gave none. `names`
 * fill sentences; the code says whether somebody is waited for.
 */
export class CheatingHoldersError extends Error {
  constructor(holders, away) {
    super(`The parts of ${holders.join(", ")} carry no valid proof, and too few others answered.`);
    this.name = "CheatingHoldersError";
    this.code = away.length ? "away" : "answered";
    this.names = { holders: holders.join(", "), away: away.join(", ") };
  }
}
