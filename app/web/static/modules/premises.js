// What a page asks of its worker. The page itself holds no key and does no arithmetic.

const WORKER = "/static/modules/worker.js";

/** An error of the worker, with what it told: code, field, reason, remedy, status, problem. */
export class PremisesError extends Error {
  constructor(told) {
    super(told.message);
    Object.assign(this, told);
  }
}

/**
 * The worker of this page; `ask(verb, args, onProgress)` gives a promise of its answer. The event
 * "cheating" names, in `detail`, holders of a shared key whose parts were not proved and not used.
 */
export class Premises extends EventTarget {
  #worker = new Worker(trusted(WORKER), { type: "module", name: "postern" });
  #waiting = new Map();
  #asked = 0;

  constructor() {
    super();
    this.#worker.addEventListener("message", ({ data }) => this.#heard(data));
    this.#worker.addEventListener("error", (event) => this.#failed(event));
  }

  ask(verb, args = {}, onProgress = () => {}) {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, verb, args, formToken: formToken() });
    });
  }

  /** End the worker, and with it whatever it held. */
  close() {
    this.#worker.terminate();
  }

  #heard({ id, result, error, done, total, cheating }) {
    if (cheating) {
      this.dispatchEvent(new CustomEvent("cheating", { detail: cheating }));
      return;
    }
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    if (total !== undefined) {
      waiting.onProgress(done, total);
      return;
    }
    this.#waiting.delete(id);
    if (error) waiting.reject(new PremisesError(error));
    else waiting.resolve(result);
  }

  #failed(event) {
    const told = { name: "WorkerError", message: event.message || "The worker did not start." };
    for (const { reject } of this.#waiting.values()) reject(new PremisesError(told));
    this.#waiting.clear();
  }
}

/** What shows the platform that a request comes from one of its own pages. */
export function formToken() {
  return document.querySelector("input[name=csrf_token]")?.value ?? "";
}

// The only address that may become a script of this page (Trusted Types).
function trusted(address) {
  if (!globalThis.trustedTypes) return address;
  const policy = trustedTypes.createPolicy("postern-worker", {
    createScriptURL(offered) {
      if (offered !== WORKER) throw new TypeError("This is not the worker.");
      return offered;
    },
  });
  return policy.createScriptURL(address);
}
