"""What a page says of errors of its worker: the same sentences as on premises, in every language.

The worker's modules speak English, as `postern` does; a page shows their sentences from here. A
test reads the modules' sources and holds this list to them.
"""

from flask_babel import force_locale
from flask_babel import lazy_gettext as _

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
    "error.TypeError": _("The platform did not answer."),
    "error.TypeError.remedy": _("Look at your connection and try again. Nothing was lost."),
}


def premises_words() -> dict[str, str]:
    """Keys and English sentences of the worker to sentences in the language of the page."""
    with force_locale("en"):
        english = [str(sentence) for sentence in _SENTENCES]
    return dict(zip(english, map(str, _SENTENCES), strict=True)) | {
        key: str(sentence) for key, sentence in _ERRORS.items()
    }
