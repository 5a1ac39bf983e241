"""What a page says of errors of its worker: the same sentences as on premises, in every language.

The worker's modules speak English, as `postern` does; a page shows their sentences from here. A
test reads the modules' sources and holds this list to them.
"""

from flask_babel import force_locale
from flask_babel import lazy_gettext as _

from app.web.languages import words
from app.web.numbered_words import NUMBERED
from postern.vocabulary import EvaluationKind

_SENTENCES = (
    # Of normalising (app/web/modules/normalise): reasons, then remedies.
    _("A telephone number has between 6 and 15 digits."),
    _("Give the whole number, with its country code or with a country."),
    _("An e-mail address has something on each side of an @."),
    _("Give the whole address."),
    _("An OpenPGP fingerprint has 40 or 64 hexadecimal digits."),
    _("Give the whole fingerprint; a key ID of 8 or 16 digits is not enough."),
    _("It is longer than 200 characters."),
    _("It is longer than 400 characters."),
    _("It is empty or longer than 200 characters."),
    _("Give what belongs in this field only."),
    _("Give the name only."),
    _("It holds no letter and no digit."),
    _("Give the handle as the market shows it."),
    _("Give the operator's name and its own code of the counter, box or locker."),
    _("Give the identifier only."),
    _("Give the identifier of the item."),
    _("This scheme of item identifiers is not known."),
    _("Use s10, ups, sscc, carrier or auto."),
    _("An S10 identifier has two letters, nine digits and two letters."),
    _("Check the identifier, or give scheme carrier when it is not S10."),
    _("A UPS number is 1Z, fifteen letters or digits and a check digit."),
    _("Check the number, or give scheme carrier."),
    _("An SSCC has 18 digits, or 20 with the application identifier 00."),
    _("Check the code, or give scheme carrier."),
    _("A carrier's identifier has between 6 and 40 letters and digits."),
    _("Give the whole identifier."),
    _("Give the address only."),
    _("It has fewer than 6 letters and digits."),
    _("Give the whole account number or wallet address."),
    _("The address has the form of no scheme that is recognised."),
    _("Name the scheme, such as bitcoin, monero or iban."),
    _("It holds neither a name nor an address that can be read."),
    _("Give a name, or a street with a house number."),
    _("It holds no street and no house number that can be read."),
    _("Give a street with a house number, or a house number with a postcode."),
    _("Give what stands on the label only."),
    _("There are more than 6 of them."),
    _("Give the address lines only."),
)

_ERRORS = {
    "error.other": _("Something went wrong in this page."),
    "error.LockedError": _("No key file is unlocked."),
    "error.LockedError.remedy": _("Open yours first."),
    "error.ProofInvalidError": _("The platform's answer is not proved. Nothing was used."),
    "error.ProofInvalidError.remedy": _("Tell your compliance officer."),
    "error.EvaluationError": _("The platform's answer cannot be used."),
    "error.EvaluationError.remedy": _("Try again; if it goes on, tell the operator."),
    "error.SignatureNeededError": _(
        "The holders of the platform's keys ask for your organisation's signature."
    ),
    "error.SignatureNeededError.remedy": _(
        "Open your organisation's key file on this page, then try again. Nothing was sent."
    ),
    "error.CheatingHoldersError": _(
        "What came from the holder %(holders)s is wrong, and too few others answered. Nothing was"
        " used."
    ),
    "error.CheatingHoldersError.remedy": _(
        "Stop here. Tell your compliance officer and the platform's operator."
    ),
    "error.CheatingHoldersError.away": _(
        "What came from the holder %(holders)s is wrong, and these do not answer: %(away)s. Too few"
        " are left, so nothing was used."
    ),
    "error.CheatingHoldersError.away.remedy": _(
        "Try again once they answer. Tell your compliance officer and the platform's operator of"
        " what was wrong."
    ),
    "refused.holders-missing": _("Too few holders of the keys answer; these do not: %(holders)s."),
    "refused.holders-missing.remedy": _(
        "Nothing was counted. Try again later; if it goes on, tell the platform's operator."
    ),
    "refused.signature-needed": _(
        "The holders of the platform's keys ask for your organisation's signature."
    ),
    "refused.signature-needed.remedy": _(
        "Reload the page, and open your organisation's key file on it."
    ),
    "refused.signature-refused": _(
        "The holders of the platform's keys refuse your organisation's signature (%(reason)s)."
    ),
    "refused.signature-refused.remedy": _(
        "Set this machine's clock right. If your organisation has new keys, its administrator has"
        " the holders admit them."
    ),
    "error.KeyDocumentError": _("The platform's keys cannot be used."),
    "error.KeyDocumentError.remedy": _("Reload the page; if it goes on, tell the operator."),
    "error.KeyDocumentError.signature": _(
        "The platform's keys are not signed by the key they name."
    ),
    "error.KeyDocumentError.signature.remedy": _("Tell your compliance officer."),
    "error.KeyDocumentError.changed": _("A key of the platform changed since you accepted it."),
    "error.KeyDocumentError.changed.remedy": _(
        "Type nothing here. Tell your compliance officer: only a person may accept another key."
    ),
    "error.KeyDocumentError.unpinned": _(
        "The platform signs its keys with another key than the one this browser accepted."
    ),
    "error.KeyDocumentError.unpinned.remedy": _(
        "Type nothing here. Tell your compliance officer: only a person may accept another key."
    ),
    "error.KeyFileError.none": _("No key file is chosen."),
    "error.KeyFileError.none.remedy": _("Choose your organisation's key file first."),
    "error.KeyFileError.damaged": _("The file is not a key file, or its parts do not fit."),
    "error.KeyFileError.damaged.remedy": _("Choose another file, or use a backup of it."),
    "error.KeyFileError.cost": _("The key file sets the cost of a passphrase out of bounds."),
    "error.KeyFileError.cost.remedy": _("Use a backup of it."),
    "error.KeyFileError.member-unknown": _("The key file has no such member."),
    "error.KeyFileError.member-unknown.remedy": _("Choose one of its members."),
    "error.KeyFileError.passphrase": _("This is not the passphrase of this member."),
    "error.KeyFileError.passphrase.remedy": _("Type it again."),
    "error.OwnKeysError": _(
        "The keys of the key file are not those under which others know your organisation."
    ),
    "error.OwnKeysError.remedy": _("Tell your compliance officer."),
    "error.OwnKeysError.other-organisation": _("The key file is of another organisation."),
    "error.OwnKeysError.other-organisation.remedy": _(
        "Choose the key file of the organisation for which you are signed in."
    ),
    "error.OwnKeysError.unpublished": _("Your organisation's keys are not published here."),
    "error.OwnKeysError.unpublished.remedy": _(
        "Let an administrator run `postern keys publish`, then unlock again."
    ),
    "error.OwnKeysError.older": _("The key file is older than your organisation's published keys."),
    "error.OwnKeysError.older.remedy": _(
        "Use the newest key file, to which `postern keys rotate` wrote."
    ),
    "error.OwnKeysError.newer": _("The present keys of this key file are not published yet."),
    "error.OwnKeysError.newer.remedy": _(
        "Let an administrator run `postern keys publish`, then unlock again."
    ),
    "error.OwnKeysError.early": _("The present keys of this key file are not valid yet."),
    "error.OwnKeysError.early.remedy": _("Wait until they are, or set this machine's clock right."),
    "error.KeySwappedError": _("STOP. THE PUBLISHED KEYS WERE SWAPPED. Nothing was sealed."),
    "error.KeySwappedError.remedy": _(
        "The platform and the compliance officers were told. Telephone the organisation at a "
        "number that you know, and tell your compliance officer."
    ),
    "error.EntryRefusedError": _("The published keys of the organisation do not hold together."),
    "error.EntryRefusedError.remedy": _(
        "Seal nothing to it. Telephone it, and tell your compliance officer."
    ),
    "error.OrganisationUnknownError": _("The organisation has published no keys that are valid."),
    "error.OrganisationUnknownError.remedy": _("Nothing can be sealed to it until it does."),
    "error.PinDeclinedError": _("The fingerprint was not compared, so nothing was sealed."),
    "error.PinDeclinedError.remedy": _("Telephone the organisation, then try again."),
    "error.SealError": _("A sealed part does not open: it is not what it should be."),
    "error.SealError.remedy": _("Do not use it; tell your compliance officer."),
    "error.SealError.not-a-recipient": _("A part was sealed to other keys than yours."),
    "error.SealError.not-a-recipient.remedy": _("Use the key file to which it was sealed."),
    "error.SealError.signer-unknown": _("A sealed part is not signed by its sealer's keys."),
    "error.SealError.signer-unknown.remedy": _("Do not use it; tell your compliance officer."),
    "error.SealError.context-mismatch": _("A sealed part was sealed for another place or use."),
    "error.SealError.context-mismatch.remedy": _("Do not use it; tell your compliance officer."),
    "error.SealError.too-large": _("A file is larger than 10,000,000 bytes."),
    "error.SealError.too-large.remedy": _("Make it smaller."),
    "error.SealedContentError": _("What was sealed does not have the form of its part."),
    "error.SealedContentError.remedy": _("Ask who sealed it to seal it again."),
    "error.SealedContentError.message": _("The text is empty or longer than 10,000 characters."),
    "error.SealedContentError.message.remedy": _("Shorten it, or write something."),
    "error.EnvelopeExchangedError": _("The platform gave other bytes than it announced."),
    "error.EnvelopeExchangedError.remedy": _("Do not use them; tell your compliance officer."),
    "error.MessageMisplacedError": _("The platform shows a message that cannot stand here."),
    "error.MessageMisplacedError.remedy": _("Do not use it; tell your compliance officer."),
    "error.TypeError": _("The platform did not answer."),
    "error.TypeError.remedy": _("Look at your connection and try again. Nothing was lost."),
}


def holder_kinds() -> dict[str, str]:
    """The kinds of values by what their keys are for, in the language of the page."""
    return {f"holders.kind.{kind.value}": words(kind) for kind in EvaluationKind}


def premises_words() -> dict[str, str]:
    """Keys and English sentences of the worker to sentences in the language of the page."""
    sentences = (*_SENTENCES, *NUMBERED)
    with force_locale("en"):
        english = [str(sentence) for sentence in sentences]
    return dict(zip(english, map(str, sentences), strict=True)) | {
        key: str(sentence) for key, sentence in _ERRORS.items()
    }
