"""What proved a session, and why a way in was refused, in words."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

PROOF_WORDS: Mapping[str, LazyString] = {
    "break-glass": _("sealed secret"),
    "passkey": _("passkey"),
    "password": _("password"),
    "recovery": _("recovery code"),
    "second-factor-elsewhere": _("second factor at the provider"),
    "single-sign-on": _("single sign-on"),
    "totp": _("code of an app"),
}

ENTRY_REFUSALS: Mapping[str, LazyString] = {
    "certificate": _("without the certificate of the token"),
    "network": _("from another network than the token's"),
    "rotated": _("a former secret, after its time"),
    "second-factor": _("wrong second factor"),
    "sign-on-answer": _("the sign-in service does not answer as it should"),
    "sign-on-audience": _("what the sign-in service said was meant for somebody else"),
    "sign-on-code": _("the sign-in service did not take its own code"),
    "sign-on-denied": _("the sign-in service said no"),
    "sign-on-down": _("the sign-in service did not answer"),
    "sign-on-used": _("told once already"),
    "sign-on-issuer": _("another sign-in service answered"),
    "sign-on-nonce": _("the answer belongs to another sign-in"),
    "sign-on-provider": _("no such sign-in service is in force"),
    "sign-on-signature": _("the signature of the sign-in service does not hold"),
    "sign-on-state": _("begun in another browser, too late, or used already"),
    "sign-on-subject": _("another person at the sign-in service"),
    "sign-on-time": _("the answer of the sign-in service is too old or of the future"),
    "sign-on-unlinked": _("no account is linked with that of the sign-in service"),
    "sign-on-unmapped": _("the sign-in service grants no role"),
}
"""Why a way in was refused, beside what `Refusal` of a password or token says."""
