"""Second factors in words: acts and refusals."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

FACTOR_ACTS: Mapping[str, LazyString] = {
    "factor.add": _("Second factor added"),
    "factor.recovery": _("Recovery codes made"),
    "factor.remove": _("Second factor removed"),
    "factor.rename": _("Second factor renamed"),
    "factor.reset": _("Removal of second factors"),
    "session.await": _("Second factor asked for"),
    "session.prove": _("Proof asked for again"),
}

FACTOR_PROBLEMS: tuple[LazyString, ...] = (
    _("You have 10 second factors already"),
    _("Remove one that you do not use any more."),
    _("Your roles need a second factor, and this is the last one"),
    _("Add another one first, then remove this one."),
    _("Your roles need a second factor, and you signed in without one"),
    _("Open /account/security in a browser and add one."),
    _("Prove once more that it is you: the last proof of this session is too old"),
    _("Open /account/prove in this browser, then send this again."),
    _("The person has no second factor"),
    _("Nothing needs to be done: their password is all that is asked for."),
    _("The removal of second factors is not proposed any more"),
    _("Name it with 1 to 60 printable characters."),
    _("The page has waited too long. Begin again."),
    _("The code is wrong, or was used already. Wait for the next one and look at the clock."),
    _("The browser's answer does not hold. Try again; a passkey is added once only."),
)
