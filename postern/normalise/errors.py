"""The one error of normalising."""


class NormalisationError(ValueError):
    """Nothing usable stands in a field.

    `reason` is one sentence of what is wrong and `remedy` one of what to do; neither repeats the
    value, so that both may be logged.
    """

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        super().__init__(f"{field}: {reason} {remedy}")
        self.field = field
        self.reason = reason
        self.remedy = remedy
