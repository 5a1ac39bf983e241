"""What can be wrong with a token filter (see `postern.token_filter`)."""

from datetime import datetime

from postern.client_errors import ClientError
from postern.key_errors import written


class TokenFilterError(ClientError):
    """A token filter cannot be used; each subclass says why."""


class FilterMalformedError(TokenFilterError):
    """The filter breaks a rule of its format."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"The token filter is malformed: {rule}. Fetch it again with `postern filter fetch`; "
            "if this stays, update postern or tell the platform's operator."
        )


class FilterSignerError(TokenFilterError):
    """Another key than the pinned one signed the filter, or it was changed since."""

    def __init__(self) -> None:
        super().__init__(
            "The token filter is not signed by the platform's pinned key. Do not screen with it; "
            "tell the platform's operator and your compliance officer."
        )


class FilterExpiredError(TokenFilterError):
    """The filter's time is over."""

    def __init__(self, expires_at: datetime, now: datetime) -> None:
        super().__init__(
            f"The token filter expired at {written(expires_at)}; this clock says {written(now)}. "
            "Fetch a new one with `postern filter fetch`."
        )


class FilterNotYetValidError(TokenFilterError):
    """The filter was made in the future of this machine's clock."""

    def __init__(self, created_at: datetime, now: datetime) -> None:
        super().__init__(
            f"The token filter is of {written(created_at)}; this clock says {written(now)}. "
            "Set the clock of this machine right and try again."
        )


class FilterNotOursError(TokenFilterError):
    """The filter was made for another organisation, or by another platform."""

    def __init__(self, platform: str, organisation: str) -> None:
        super().__init__(
            f"The token filter was made by {platform} for {organisation}. Fetch your own with "
            "`postern filter fetch`."
        )


class FilterEpochOverError(TokenFilterError):
    """The platform evaluates in another key epoch than the one of the filter's tokens."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"The key epoch of the token filter is over for {kind}: its tokens are compared with "
            "nothing any more. Fetch a new one with `postern filter fetch`."
        )


class FilterCalledBackError(TokenFilterError):
    """The platform gives the filter out no more: something in it was called back, or it ended."""

    def __init__(self, state: str) -> None:
        super().__init__(
            f"The token filter is not to be used any more: the platform says {state!r}, because "
            "something in it was called back or it ended. Fetch a new one with `postern filter "
            "fetch`."
        )
