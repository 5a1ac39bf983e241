"""What the pages of disclosure requests say when they refuse; it stands with the errors too."""

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

REFUSALS: tuple[LazyString, ...] = (
    _("The disclosure request does not stand where this can be done"),
    _("Read the request again: somebody may have decided it meanwhile, or it has ended."),
    _("You made this decision yourself, so another person must judge it"),
    _("Ask another approver of your organisation."),
    _("This decision does not wait for a second person"),
    _("Read the request again: it was judged, or another decision took its place."),
    _("Your sharing policy does not let this organisation ask for it any more"),
    _("Give nothing, or change the policy first; it is asked at the moment of release."),
    _("Keys were changed since this was proposed, and it is sealed with the earlier ones"),
    _("Do not agree: the proposal is erased, and the request can be decided again."),
    _("An organisation of the request is suspended, so nothing is given"),
    _("Refuse the request, or wait until the organisation is active again."),
    _("An organisation of the request has not published its keys"),
    _("Have it publish them with `postern keys publish`; until then nothing can be sealed."),
    _("Choose a reason of the list."),
    _("Choose when a second person is needed."),
)
"""A test holds them to the errors that the pages show."""
