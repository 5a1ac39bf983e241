"""Barrier models, tags and registered barriers: what their acts are called."""

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

BARRIER_ACTS: Mapping[str, LazyString] = {
    "barrier.board": _("Board read"),
    "barrier.change": _("Barrier renewed or ended"),
    "barrier.erase": _("Barriers erased"),
    "barrier.export": _("Board taken away"),
    "barrier.gaps": _("Gaps read"),
    "barrier.list": _("Barriers listed"),
    "barrier.read": _("Barrier read"),
    "barrier.recount": _("Counts of the board differed"),
    "barrier.register": _("Barrier registered"),
    "barrier.shared": _("Barrier told to another organisation"),
    "model.check": _("Text of a barrier model checked"),
    "model.choose": _("Barrier model chosen"),
    "model.compare": _("Barrier models compared"),
    "model.draft": _("Proposal of a barrier model"),
    "model.erase": _("Barrier model erased"),
    "model.list": _("Barrier models listed"),
    "model.load": _("Shipped barrier model loaded"),
    "model.publish": _("Barrier model put in force"),
    "model.read": _("Barrier model read"),
    "step.read": _("Tags read"),
    "step.suggest": _("Step suggested"),
    "step.tag": _("Tagged with a step"),
}
"""Names of acts, for lists and filters."""
