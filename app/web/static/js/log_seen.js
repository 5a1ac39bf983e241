// What this browser knows of the log: the last checkpoint that it verified and the keys it was signed
// with, and receipts that wait to be looked for. Public facts, of no person; kept in local storage.

const SEEN = "postern.log"; // {origin, size, root, note, at, keys, receiptKeys}
const RECEIPTS = "postern.log.receipts"; // receipts as the platform wrote them
const MOST_RECEIPTS = 50;

export const seen = () => read(SEEN);
export const keepSeen = (state) => localStorage.setItem(SEEN, JSON.stringify(state));
export const receipts = () => read(RECEIPTS) ?? [];

/** Keep a receipt until the next verification looks for it; the oldest go first. */
export function keepReceipt(receipt) {
  const kept = [...receipts(), receipt].slice(-MOST_RECEIPTS);
  localStorage.setItem(RECEIPTS, JSON.stringify(kept));
}

/** Forget receipts that were found in the log. */
export function dropReceipts(proven) {
  const left = receipts().filter((each) => !proven.includes(each));
  localStorage.setItem(RECEIPTS, JSON.stringify(left));
}

/** Forget all of it: the next verification is the first. */
export function forget() {
  localStorage.removeItem(SEEN);
  localStorage.removeItem(RECEIPTS);
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}
