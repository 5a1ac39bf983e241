// Why an envelope is refused; the counterpart of postern/seal_errors.py.

const SENTENCES = {
  malformed: "It was cut off, lengthened, or is of a version not known. Fetch it again.",
  "signer-unknown": "It is signed by a key that is not one of the sealer's. Do not use it.",
  signature: "It was changed after it was signed. Do not use it, and report it.",
  "context-mismatch": "It is whole, but was sealed for another record or use. Report it.",
  "not-a-recipient": "It was sealed to other keys than yours. Use the key file it was sealed to.",
  "recipient-swapped": "The part for your key is not the key of this content. Report it.",
  damaged: "Its content or padding is not right. Report it.",
  "too-large": "The content is larger than 10,000,000 bytes. Make it smaller.",
  recipients: "There have to be 1 to 16 recipients, each once.",
  "context-invalid": "A part of the context is not of its form. Correct it.",
};

/** `code` names the cause, `where` the part of the context, if any. */
export class SealError extends Error {
  constructor(code, where = "") {
    super(where ? `${where}: ${SENTENCES[code]}` : SENTENCES[code]);
    this.name = "SealError";
    this.code = code;
    this.where = where;
  }
}
