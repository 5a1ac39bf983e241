"""What the pages of disclosure requests say when they refuse; it stands with the errors too."""

from collections.abc import Mapping

from flask_babel import force_locale
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
    _("Your organisation has an open request on this indicator already"),
    _("Read that request, named in request; ask again when it is decided."),
    _("Too many requests of this case went to this organisation within a day"),
    _("Ask for what is most needed first; what is asked in bulk is not given."),
    _("The request has as many messages as a request may have"),
    _("Decide it, or withdraw it and ask anew."),
    _("The delivery cannot be fetched any more"),
    _("Read the request: it tells when the delivery ended. Ask anew if you still need it."),
    _("Another receipt of this delivery was given already"),
    _("Read the request: the receipt stands there with what was found."),
    _("There is nothing here for you"),
    _("Check the address; what you may not see is answered like what does not exist."),
    _("The request carries no valid sign-in"),
    _(
        "An operator asks an authority only for parcel screening or the security of its "
        "service: look it up for one of these purposes."
    ),
    _(
        "An authority asks an operator under police law, criminal procedure, customs law or a "
        "court order: look it up on one of these bases."
    ),
    _("The owner cannot do this with an item: ask another, or for nothing more."),
    _("A threat to life needs a sealed message that says what it is."),
    _("This reason does not fit the answer."),
    _("The requester told of no imminent threat to life."),
    _("Another reason is told in a sealed message."),
)
"""A test holds them to the errors that the pages show."""


def refusal_words() -> Mapping[str, str]:
    """English sentences of refusals to those in the language of the page, for its scripts."""
    with force_locale("en"):
        english = [str(sentence) for sentence in REFUSALS]
    return dict(zip(english, map(str, REFUSALS), strict=True))
