"""What can go wrong between a client and the platform.

Each error is named for what happened; its message is one sentence of that and one of what to do.
None repeats a value that a user typed, so that all may be logged.
"""

from datetime import UTC, datetime


class ClientError(Exception):
    """Base of what a user of the client can meet; the message is fit to be shown as it is."""


class AddressRefusedError(ClientError):
    """The configured address is not one to which a token may be sent."""


class TokenFileError(ClientError):
    """The file with the API token is missing, readable by others, or holds no token."""


class PlatformUnreachableError(ClientError):
    """No answer came, after all attempts."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The platform cannot be reached: {what}. Check the network and `postern check`, then "
            "run the same command again; nothing that was sent is sent twice."
        )


class TlsFailedError(ClientError):
    """The platform's certificate was not accepted."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The platform's TLS certificate was refused: {what}. Check the address and the clock; "
            "if your organisation uses its own authority, name its file as ca_file in the settings."
        )


class NotThePlatformError(ClientError):
    """Something answers at the address, but it is not a Postern platform."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The address does not answer like a Postern platform: {what}. Correct `address` in "
            "the settings, with scheme and host only."
        )


class AnswerMalformedError(ClientError):
    """The platform answered in a form that this version does not know."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"The platform's answer cannot be read at {place}. Update postern; if it is up to "
            "date, tell the platform's operator."
        )


class AnswerTooLargeError(ClientError):
    """The answer is longer than any right answer."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The platform's answer is longer than {limit} bytes and was not read. Tell the "
            "platform's operator."
        )


class TokenRefusedError(ClientError):
    """401: the token is unknown, expired or revoked."""

    def __init__(self) -> None:
        super().__init__(
            "The platform does not accept the API token: it is wrong, expired or revoked. Ask your "
            "administrator for a new one and put it into the token file."
        )


class NotAllowedError(ClientError):
    """403: the token is valid but does not reach this far."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The API token does not allow this: {what}. Ask your administrator for a token with "
            "that scope, of a person who holds the role; `postern check` shows what it has."
        )


class EpochClosedError(ClientError):
    """409: the key epoch is not the one that evaluates now. `current` is, when it is known."""

    def __init__(self, current: int | None) -> None:
        super().__init__(
            "The platform evaluates with another key epoch than the one in its key document. Check "
            "the clock of this machine with `postern check`; if it is right, tell the operator."
        )
        self.current = current


class QuotaSpentError(ClientError):
    """429: no more evaluations, or no more calls, before `resets_at`."""

    def __init__(self, resets_at: datetime | None) -> None:
        when = f"It begins again at {resets_at:%Y-%m-%d %H:%M} UTC" if resets_at else "Wait"
        super().__init__(
            f"The quota of your organisation is spent. {when}: give the same command again then "
            "(`postern submit` waits by itself with --wait), or ask the platform's administrator "
            "for a larger allowance."
        )
        self.resets_at = resets_at.astimezone(UTC) if resets_at else None


class ScreeningNotAgreedError(ClientError):
    """403: no evaluations for screening were agreed with the organisation."""

    def __init__(self) -> None:
        super().__init__(
            "The platform's administrator has agreed no evaluations for screening with your "
            "organisation, or they have ended. Ask for an allowance; `postern filter allowance` "
            "shows what there is."
        )


class BodyTooLargeError(ClientError):
    """413: the platform takes smaller requests only."""

    def __init__(self) -> None:
        super().__init__(
            "The platform refuses the request as too large. Tell the operator: even the smallest "
            "request was refused."
        )


class RequestRefusedError(ClientError):
    """Any other refusal, in the platform's own words. `places` lists the fields it names."""

    def __init__(self, status: int, detail: str, remedy: str, places: tuple[str, ...]) -> None:
        where = f" ({'; '.join(places)})" if places else ""
        super().__init__(f"The platform refused the request ({status}): {detail}{where} {remedy}")
        self.status = status
        self.places = places


class PlatformFailedError(ClientError):
    """5xx: the platform itself failed."""

    def __init__(self, status: int, reference: str) -> None:
        known = f" (reference {reference})" if reference else ""
        super().__init__(
            f"The platform failed with {status}{known}. Run the same command again later; if it "
            "fails again, tell the platform's operator the reference."
        )
        self.status = status


class EvaluationRefusedError(ClientError):
    """The platform's evaluation does not prove that it used the published key."""

    def __init__(self) -> None:
        super().__init__(
            "The platform's evaluation carries no valid proof for its published key, so nothing of "
            "it was used. Stop, and report it to the platform's operator and your compliance "
            "officer."
        )


class SharedKeyError(ClientError):
    """The evaluation comes in several parts, from holders that this version does not know."""

    def __init__(self) -> None:
        super().__init__(
            "The platform evaluates with a key shared among holders, which this version cannot "
            "check. Update postern."
        )


class CheatingHoldersError(ClientError):
    """So many holders gave parts without a valid proof that too few are left.

    `names` are theirs, `away` those of holders that gave no part; of `needed` holders `honest` are
    left.
    """

    def __init__(
        self, names: tuple[str, ...], away: tuple[str, ...], *, honest: int, needed: int
    ) -> None:
        missed = f"; no answer came from {', '.join(away)}" if away else ""
        remedy = (
            f"Give the same command again once {', '.join(away)} can be reached, and report "
            f"{', '.join(names)} to the platform's operator and your compliance officer."
            if away
            else "Stop, and report it to the platform's operator and your compliance officer."
        )
        super().__init__(
            f"{holders_named(names)}{missed}. {needed} honest holders must take part and {honest} "
            f"did, so nothing was used. {remedy}"
        )
        self.names, self.away = names, away


class HoldersMissingError(ClientError):
    """503: fewer holders of the shared key answer than must take part."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The platform cannot evaluate now: {what} Give the same command again later; if it "
            "goes on, tell the platform's operator."
        )


class SignatureNeededError(ClientError):
    """The key is shared among holders, who ask for the organisation's own signature."""

    def __init__(self) -> None:
        super().__init__(
            "The platform's key is shared among holders, who evaluate only what your organisation "
            "signed. Set file and member of your key file under [keys] in the settings file."
        )


def holders_named(names: tuple[str, ...]) -> str:
    """The sentence that names holders who cheat."""
    return f"The part of holder {', '.join(names)} carries no valid proof for its published key"


class NormaliserMismatchError(ClientError):
    """The platform's keys evaluate canonical forms of another version."""

    def __init__(self, theirs: str, ours: str) -> None:
        super().__init__(
            f"The platform expects values normalised by version {theirs}, and this postern has "
            f"version {ours}. Update postern: values of different versions never match."
        )


class FileNotWrittenError(ClientError):
    """What the platform sent could not be put into its file; nothing of it is kept."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The file cannot be written: {what}. Free space or choose another folder, then give "
            "the same command again."
        )
