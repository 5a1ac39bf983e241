"""What can go wrong with models, tags and registered barriers, named for what happened."""

from app.errors import ConflictError, InvalidRequestError, NotAllowedError


class ModelRefusedError(InvalidRequestError):
    """`errors` lists each fault with its line, column, reason and remedy."""

    code = "model-refused"
    title = "The text is no barrier model that can be put in force"
    remedy = "Correct what errors lists, and send the text again."


class TooManyModelsError(ConflictError):
    code = "too-many-models"
    title = "Your organisation has too many barrier models"
    remedy = "Propose the text as a new version of a model that you have."


class ModelProposedError(ConflictError):
    code = "model-proposed"
    title = "A version of the model waits for a second person"
    remedy = "Have it decided on, or withdraw it, then propose the next one."


class ModelNotProposedError(ConflictError):
    code = "model-not-proposed"
    title = "That version of the model does not wait for a decision"
    remedy = "Read the model again, and decide on the version that waits."


class OwnModelError(NotAllowedError):
    code = "model-own"
    title = "You proposed this version, so somebody else must approve it"
    remedy = "Ask a policy owner or approver of your organisation who did not propose it."


class NoModelError(ConflictError):
    code = "model-none"
    title = "No barrier model is in force here"
    remedy = "Ask the platform's administrator to run: flask --app wsgi barriers load"


class ModelChangedError(ConflictError):
    code = "model-changed"
    title = "Another version of the barrier model is in use than the one you saw"
    remedy = "Read the model again, and decide by the version that is in use."


class TooManyTagsError(ConflictError):
    code = "too-many-tags"
    title = "It was tagged as often as it may be"
    remedy = "Keep the newest tag."


class TooManyBarriersError(ConflictError):
    code = "too-many-barriers"
    title = "Your organisation has too many registered barriers"
    remedy = "Let barriers that hold no longer end, or name a country instead of each point."


class BarrierEndedError(ConflictError):
    code = "barrier-ended"
    title = "The barrier has ended"
    remedy = "Register it anew if it holds again."
