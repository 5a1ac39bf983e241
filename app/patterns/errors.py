"""What can go wrong with shared patterns, named for what happened."""

from app.errors import ConflictError, InvalidRequestError, NotAllowedError


class PatternRefusedError(InvalidRequestError):
    """`errors` lists each fault with its line, column, reason and remedy."""

    code = "pattern-refused"
    title = "The document cannot be shared as it is"
    remedy = "Correct what errors lists, save the draft and propose it again."


class TooManyPatternsError(ConflictError):
    code = "too-many-patterns"
    title = "Your organisation has too many patterns, open drafts or subscriptions"
    remedy = "Discard drafts, or end subscriptions, that are no longer needed."


class PatternDraftChangedError(ConflictError):
    """`revision` of the answer is the newest one."""

    code = "pattern-draft-changed"
    title = "Somebody has changed the draft since you read it"
    remedy = "Read the pattern again and decide on its newest revision, which the answer names."


class PatternProposedError(ConflictError):
    code = "pattern-proposed"
    title = "The draft waits for a second person, and its text stands still"
    remedy = "Withdraw the proposal first, then edit the draft and propose it again."


class PatternNotProposedError(ConflictError):
    code = "pattern-not-proposed"
    title = "The draft was not proposed, or its proposal was withdrawn"
    remedy = "Have an analyst or a submitter propose the draft first."


class NoPatternDraftError(ConflictError):
    code = "pattern-no-draft"
    title = "The pattern has no open draft"
    remedy = "Write the next version as a draft first."


class NotPublishedError(ConflictError):
    code = "pattern-not-published"
    title = "The pattern was never published, so nobody uses it"
    remedy = "Publish it first, or discard its draft."


class PatternDeprecatedError(ConflictError):
    code = "pattern-deprecated"
    title = "The pattern is deprecated and is not used any more"
    remedy = "Use the pattern that replaces it, or write a new one."


class RuleTwiceError(ConflictError):
    """Two documents with one id cannot be screened with in one run."""

    code = "pattern-rule-twice"
    title = "Your organisation subscribes to another pattern whose document has the same id"
    remedy = "End that subscription first, or ask the author to give the document an id of its own."


class OwnPatternDraftError(NotAllowedError):
    code = "pattern-own"
    title = "You wrote or proposed this version, so somebody else must approve it"
    remedy = "Ask a policy owner or approver of your organisation who had no part in it."
