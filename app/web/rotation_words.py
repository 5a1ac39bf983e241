"""Steps of a key rotation, in words."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

ROTATION_WORDS: Mapping[str, LazyString] = {
    "moving": _("moves what is stored"),
    "overlapping": _("both epochs are taken"),
    "gathering": _("moves what came late"),
    "clearing": _("removes the old tokens"),
    "done": _("old key wiped"),
}
