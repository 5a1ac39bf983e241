"""What proved a session, in words."""

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
