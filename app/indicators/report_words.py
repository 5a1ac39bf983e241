"""What the pages of reports say: fields by name, faults of a row, doubts, refusals of a file.

The worker speaks English, as `postern` does; a page shows its sentences from here. A test reads
the sources of its modules and holds these lists to them.
"""

from collections.abc import Mapping

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from postern.normalise import Flag

_PARTS: Mapping[str, LazyString] = {
    "name": _("name"),
    "business": _("company"),
    "street": _("address"),
    "street_2": _("address, second line"),
    "house_number": _("house number"),
    "box": _("box"),
    "postcode": _("postcode"),
    "city": _("town"),
    "country": _("country"),
    "phone": _("telephone"),
    "email": _("e-mail"),
}
"""What belongs to a party: alone, of the sender or of the addressee."""

_OF = {
    "sender_": _("sender: %(part)s"),
    "addressee_": _("addressee: %(part)s"),
    "person_": _("person: %(part)s"),
    "business_": _("company: %(part)s"),
}

MAPPINGS: Mapping[str, tuple[LazyString, LazyString]] = {
    "cis": (
        _("seizures, with the items of the EU Customs Information System"),
        _(
            "The items are those of the annex to Implementing Regulation (EU) 2016/346. No file of "
            "that system was seen: this is compatible with no system that was verified. It is "
            "meant for records of your own administration. Data obtained from that system may be "
            "used and passed on only as Articles 29, 30 and 35 of Regulation (EC) No 515/97 allow."
        ),
    ),
    "ionics": (
        _("incidents of synthetic drugs, as INCB's publications speak of them"),
        _(
            "The fields of an incident in INCB's IONICS are not public and were not seen: this is "
            "compatible with no system. It reads lists of incidents that you keep yourself."
        ),
    ),
}
"""The import mappings that the worker knows: their titles, and what is said of them."""

FIELDS: Mapping[str, LazyString] = {
    **_PARTS,
    "item_id": _("item number"),
    "item_scheme": _("kind of item number"),
    "induction_point": _("induction point"),
    "induction_operator": _("network of the induction point"),
    "induction_country": _("country of the induction point"),
    "vendor_market": _("market"),
    "vendor_handle": _("vendor's handle"),
    "pgp": _("OpenPGP fingerprint"),
    "payment": _("payment address"),
    "payment_scheme": _("kind of payment address"),
    "gross_weight": _("gross weight"),
    "net_weight": _("net weight"),
    "total_value": _("total value"),
    "value": _("value"),
    "currency": _("currency"),
    "origin_country": _("country of origin"),
    "destination_country": _("country of destination"),
    "goods_origin": _("origin of the goods"),
    "hs": _("HS code"),
    "declared_category": _("declared category"),
    "service": _("service"),
    "concealment": _("concealment"),
    "substance": _("substance"),
    "barrier_step": _("barrier step"),
    "observed_from": _("first seen"),
    "observed_to": _("last seen"),
    "learned": _("how it was learned"),
    "legal_basis": _("legal basis"),
    "subject_category": _("who the person is"),
    "assertion": _("fact or assessment"),
    "grade": _("grades"),
    "tlp": _("TLP"),
    "handling": _("handling codes"),
    "permitted_action": _("permitted action"),
    "expires_in": _("days until it ends"),
    "expires_on": _("last day"),
    "note": _("note"),
    "scope": _("whether it is about post"),
    "weight_unit": _("unit of the weight"),
    "found_quantity": _("amount found, in the note"),
    "found_unit": _("unit of the amount, in the note"),
    "outcome": _("what came of it"),
    "person_involvement": _("part of the person"),
    "business_involvement": _("part of the company"),
    "row": _("the row"),
    "client_key": _("the report"),
}
"""Fields that a column can be, without those of a party, and what a fault may be about."""

_FAULTS: tuple[LazyString, ...] = (
    # Of a row or a form (app/web/modules/terms.js, rows.js): reasons, then remedies.
    _("It is not said."),
    _("Choose it, or fill in the column %(column)s."),
    _("%(codes)s restricts what TLP:%(tlp)s sets free."),
    _("Raise the TLP marking or leave the code out."),
    _("It is before observed_from."),
    _("Correct one of the two days."),
    _("The word is not in the list."),
    _("Use one of: %(words)s."),
    _("A code is not in the list."),
    _("Use %(words)s."),
    _("It is not a source grade and an information grade."),
    _("Write A, B, C or X and then 1, 2, 3 or 4, such as X4."),
    _("It is not a number of days."),
    _("Write a whole number from 1 to %(most)s."),
    _("The day is past."),
    _("Give a day to come, or leave it empty."),
    _("The day is yet to come."),
    _("Give the day on which it was seen."),
    _("It is not a step."),
    _("Write a number from 1 to %(most)s."),
    _("It is not a day."),
    _("Write it as 2026-11-25 or 25/11/2026, the day first."),
    _("%(column)s alone holds too little to be compared; it was not sent."),
    _("It holds nothing to compare."),
    _(
        "Give an address, a name with an address, a telephone number, an e-mail address, an item "
        "identifier, an induction point, a vendor, a key or a payment address."
    ),
    _("It is longer than %(most)s characters."),
    _("Shorten it."),
    _("It is not a short name or code."),
    _("Use up to 40 letters without accents, digits, spaces and . _ / -"),
    _("The country of the induction point is not known."),
    _("Choose it, or fill in the column induction_country."),
    # Of a row under an import mapping (mapped_columns.js).
    _("What stands under %(heading)s is not a day."),
    _("Write it as %(forms)s."),
    _("The row is about another way of transport than post and courier, or about no shipment."),
    _("Leave it out; or let the mapping say that its word is within the scope."),
    # Of a row of a file (csv_rows.js, sheet.js).
    _("A quotation mark stands where none may stand."),
    _("Correct the line."),
    _(
        "It has %(cells)s cells and the header has %(width)s: a delimiter or a quotation mark is "
        "missing or one too many."
    ),
    _("It holds the error %(code)s of Excel."),
    _("Correct the formula, or write the value in its place."),
    _("Its formula was never computed."),
    _("Write the value in its place, or save the file in Excel."),
)

_REFUSED: tuple[LazyString, ...] = (
    # Of a report that the platform refused (app/indicators/reading.py).
    _("The day lies in the future or before 1970."),
    _("Correct the day."),
    _("It ends before it begins."),
    _("Exchange the two days."),
    _("Choose a day in that period, or leave it out."),
    _("It lies in the past or after the expiry."),
    _("Choose a day from today until expires_on, or leave it out."),
    _("That key epoch is not open."),
    _("Fetch the key document again and evaluate the value with its newest epoch."),
    _("Another report stands under this key."),
    _("Use a new key for a new report; to correct one, withdraw it and send it under a new key."),
    _("The report under this key was withdrawn."),
    _("Leave it withdrawn, or send it under a new key if that was a mistake."),
)

DOUBTS: Mapping[str, LazyString] = {
    Flag.NO_NAME: _("no name was given"),
    Flag.NO_STREET: _("no street was recognised"),
    Flag.NO_HOUSE_NUMBER: _("no house number was recognised"),
    Flag.NO_POSTCODE: _("no postcode was given"),
    Flag.NO_CITY: _("no town was given"),
    Flag.POSTCODE_FORM: _("the postcode does not have the form used in that country"),
    Flag.SEVERAL_HOUSE_NUMBERS: _("a range of house numbers was given; the first is used"),
    Flag.POSTE_RESTANTE: _("this is a poste restante, a post-office box or a parcel locker"),
    Flag.UNKNOWN_COUNTRY: _("the country is not known"),
    Flag.NO_COUNTRY: _("a national number without a country: only the same writing will match it"),
    Flag.NO_MARKET: _("no market was given"),
    Flag.SHORT_HANDLE: _("the handle is too short to be compared by its sound"),
    Flag.PHONE_LENGTH: _("a number of this country does not have this length"),
    Flag.EMAIL_FORM: _("the address does not have the form of an e-mail address"),
    Flag.PAYMENT_FORM: _("the address does not have the form used by this scheme"),
    Flag.IBAN_CHECK_DIGITS: _("the check digits of the IBAN are wrong"),
    Flag.S10_CHECK_DIGIT: _("the check digit of the S10 identifier is wrong"),
    Flag.S10_COUNTRY: _("the country of the S10 identifier is unknown"),
    Flag.S10_SERVICE: _("the first letter of the S10 identifier is reserved"),
    Flag.UPS_CHECK_DIGIT: _("the check digit of the UPS number is wrong"),
    Flag.SSCC_CHECK_DIGIT: _("the check digit of the SSCC is wrong"),
    "weight_without_unit": _("no unit is known for the weight; it is not sent"),
    "weight_unit_unknown": _("the unit of the weight is neither g nor kg; it is not sent"),
    "weight_unreadable": _("the weight is not a number; it is not sent"),
    "value_without_currency": _("no currency is known for the value; it is not sent"),
    "value_not_in_euro": _("the value is not in euro; it is not sent"),
    "value_unreadable": _("the value is not a number; it is not sent"),
    "hs_unreadable": _("the HS code is not one; it is not sent"),
    "unknown": _("the word in %(field)s is not known; it is not sent"),
    "too-little": _("%(field)s alone holds too little to be compared; it is not sent"),
}
"""Flags of the normaliser and of the shipment; the last two stand for a flag of any field."""

SHEET_ERRORS: Mapping[str, tuple[LazyString, LazyString]] = {
    "too-large": (
        _("The file is larger than 20 MB."),
        _("Submit it with `postern submit`, or in parts."),
    ),
    "too-many-rows": (
        _("The file has more than 20,000 rows."),
        _("Submit it with `postern submit`, or in parts."),
    ),
    "too-many-columns": (
        _("The table has more than 200 columns."),
        _("Take out those that are not needed."),
    ),
    "empty": (
        _("The file is empty."),
        _("Put the headings of the columns on its first line."),
    ),
    "not-a-table": (
        _("The file is neither CSV nor an Excel workbook."),
        _("Save it as .xlsx or as CSV."),
    ),
    "old-excel": (
        _("It is an old or a protected Excel file."),
        _("Save it as .xlsx without a password."),
    ),
    "damaged-workbook": (
        _("The workbook cannot be read."),
        _("Open it in Excel and save it as .xlsx again."),
    ),
    "bomb": (
        _("The workbook unpacks to more than 100 MB."),
        _("Save only the sheet that is needed."),
    ),
    "overfull": (
        _("The workbook holds more in one place than Excel would write."),
        _("Open it in Excel and save only the sheet that is needed, or as CSV."),
    ),
    "unclosed": (
        _("A quotation mark is opened and not closed."),
        _("Close it, or double it if it belongs to the text."),
    ),
    "header-fault": (
        _("The line of headings cannot be read."),
        _("Correct its quotation marks."),
    ),
}
"""Code of the worker's SheetError to reason and remedy."""


def report_words() -> dict[str, str]:
    """Keys and English sentences of the worker to sentences in the language of the page.

    Keys are `field.X`, `doubt.X` and `error.SheetError.X`; sentences stand for themselves.
    """
    with force_locale("en"):
        english = [str(sentence) for sentence in (*_FAULTS, *_REFUSED)]
    said = dict(zip(english, map(str, (*_FAULTS, *_REFUSED)), strict=True))
    said |= {f"field.{name}": str(words) for name, words in FIELDS.items()}
    for prefix, pattern in _OF.items():
        for name, words in _PARTS.items():
            said[f"field.{prefix}{name}"] = str(pattern) % {"part": words}
    said |= {f"doubt.{name}": str(words) for name, words in DOUBTS.items()}
    for code, (reason, remedy) in SHEET_ERRORS.items():
        said[f"error.SheetError.{code}"] = str(reason)
        said[f"error.SheetError.{code}.remedy"] = str(remedy)
    return said
