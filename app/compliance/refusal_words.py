"""What reviews and signals say on pages when they refuse; the sentences stand with the errors."""

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

REFUSALS: tuple[LazyString, ...] = (
    _("There is no such review for you"),
    _("List the reviews of your organisation at /api/v1/reviews."),
    _("The review has ended already"),
    _("Order a new review; rounds that were drawn can still be judged."),
    _("Your organisation has 50 reviews that have not ended"),
    _("End a review that is no longer needed, then order the new one."),
    _("There is no such round of a review for you"),
    _("Read the review at /api/v1/reviews; it names its rounds."),
    _("Every entry of the round is judged, and the round stands as it is"),
    _("Record what you found later in a round that is open, or in your own file."),
    _("You did this act yourself, so somebody else must judge it"),
    _("Ask another compliance officer of your organisation."),
    _("There is no such signal for you"),
    _("List the signals of your organisation at /api/v1/signals."),
    _("The signal was closed already"),
    _("Read it: it names who closed it, with which verdict."),
    _("The signal is about your own acts, so somebody else must close it"),
    _("A title has 1 to 200 characters of one line."),
    _("A note has up to 2000 characters of plain text."),
    _("Draw 1 to 200 entries a month."),
    _("No act is of this operation: leave one of the two out."),
    _("Say in a note what you found."),
    _("Choose what you found."),
    _("Choose an act of the list."),
    _("Choose an operation of the list."),
    _("Choose a purpose of the list."),
    _("Choose an outcome of the list."),
)
"""A test holds them to the errors of this room."""
