"""Errors a user can cause: each has a status, a stable code, what happened and what to do.

`as_problem` is the only shape in which an error leaves the platform (RFC 9457). An error that a
user cannot cause is a 500 with the request's reference and a log line.
"""

from typing import Any, ClassVar


class PosternError(Exception):
    """Base of all errors that leave as problem details.

    Subclasses set `status`, `code` and `title`; `detail` says what happened in one sentence and
    `remedy` what to do in one. Neither may contain a value that a user typed.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be served"
    remedy: ClassVar[str] = "Correct the request and send it again."

    def __init__(
        self,
        detail: str | None = None,
        *,
        remedy: str | None = None,
        headers: dict[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.told_remedy = remedy or self.remedy
        self.headers = headers or {}
        self.extensions = extensions

    def as_problem(self, reference: str) -> dict[str, Any]:
        """The RFC 9457 members; `reference` is the request id."""
        return {
            "type": f"/errors/{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "remedy": self.told_remedy,
            "instance": reference,
            **self.extensions,
        }


class InvalidRequestError(PosternError):
    """A field is missing, unknown or wrong; `errors` lists each by its place."""

    status = 422
    code = "invalid-request"
    title = "Some fields of the request are not valid"
    remedy = "Correct the fields listed in errors and send the request again."


class MalformedRequestError(PosternError):
    status = 400
    code = "malformed-request"
    title = "The request cannot be read"
    remedy = "Send a JSON object with the content type application/json."


class SignInNeededError(PosternError):
    status = 401
    code = "sign-in-needed"
    title = "The request carries no valid sign-in"
    remedy = "Sign in, or send a valid API token as Authorization: Bearer."


class NotAllowedError(PosternError):
    """The caller is known but lacks the role or scope that the verb needs."""

    status = 403
    code = "not-allowed"
    title = "Your roles or your token's scopes do not allow this"
    remedy = "Ask your organisation's administrator for the role, or use a token with the scope."


class PasswordToChangeError(PosternError):
    """The session was begun with a one-time password."""

    status = 403
    code = "password-to-change"
    title = "You signed in with a password that is good for choosing another only"
    remedy = "Open your account page and choose a password of your own."


class SecondFactorNeededError(PosternError):
    status = 403
    code = "second-factor-needed"
    title = "Your roles need a second factor, and you signed in without one"
    remedy = "Open /account/security in a browser and add one."


class NotFoundError(PosternError):
    """Not there and not yours are this one answer."""

    status = 404
    code = "not-found"
    title = "There is nothing here for you"
    remedy = "Check the address; what you may not see is answered like what does not exist."


class MethodNotAllowedError(PosternError):
    status = 405
    code = "method-not-allowed"
    title = "This address does not know that method"
    remedy = "Look the method up in the interface description at /api/docs."


class ConflictError(PosternError):
    status = 409
    code = "conflict"
    title = "The request contradicts what is stored"
    remedy = "Read the present state and decide again."


class TooLargeError(PosternError):
    status = 413
    code = "too-large"
    title = "The request is larger than the platform accepts"
    remedy = "Split it into smaller requests."


class UnsupportedMediaTypeError(PosternError):
    status = 415
    code = "unsupported-media-type"
    title = "The content type of the request is not supported"
    remedy = "Send application/json."


class QuotaSpentError(PosternError):
    """`Retry-After` names the seconds until the window begins again."""

    status = 429
    code = "quota-spent"
    title = "The quota is spent"
    remedy = "Wait for the time in Retry-After, or ask the platform's administrator for more."


class CrossSiteRequestError(PosternError):
    status = 400
    code = "cross-site-request"
    title = "The form was not sent from a page of this platform, or it is too old"
    remedy = "Open the page again and repeat the step."


class MisdirectedError(PosternError):
    status = 421
    code = "host-unknown"
    title = "The request names a host that this platform is not"
    remedy = "Use the address of the platform; its administrator may add others in network.hosts."


class UnavailableError(PosternError):
    status = 503
    code = "unavailable"
    title = "The platform cannot answer now"
    remedy = "Try again in a moment; nothing was changed."


class OutcomeUnknownError(PosternError):
    """The database was lost during the commit: the act is whole or absent, and nobody knows."""

    status = 503
    code = "outcome-unknown"
    title = "The database was lost before it told whether the act was done"
    remedy = (
        "Look whether it was done before you repeat it; reports may be sent again with the same"
        " client key."
    )


class UnexpectedError(PosternError):
    """What a user cannot cause; the reference finds the log line."""

    status = 500
    code = "unexpected-error"
    title = "The platform failed"
    remedy = "Tell the platform's administrator the reference in instance."


class UnauditedResponseError(RuntimeError):
    """A response was about to leave without an audit entry: a defect, answered with 500."""


class StartRefusedError(RuntimeError):
    """The platform refuses to start; the message names what is wrong and the remedy."""
