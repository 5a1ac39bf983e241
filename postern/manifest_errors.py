"""What stops the reading of a manifest as a whole; the message names the remedy."""

from postern.client_errors import ClientError


class ManifestError(ClientError):
    """The manifest, or the file that says how to read it, cannot be used."""


class ManifestNotWholeError(ClientError):
    """The lines that were read, rejected and left out do not add up to the lines of the file."""

    def __init__(self, counted: int, lines: int) -> None:
        super().__init__(
            f"The manifest has {lines:,} lines, and only {counted:,} of them can be accounted for; "
            "nothing was screened. Report this to the makers of postern, with the delimiter and "
            "the encoding of the file, and screen a Parquet file of the same rows meanwhile."
        )
        self.counted = counted
        self.lines = lines


class ScreeningMissingError(ClientError):
    """The engines that screen a manifest are not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(
            f"Screening needs the package {package}, which is not installed. Install postern with "
            "its extra `screen`, or `spark` for a cluster: pip install '.[screen]' in its folder."
        )
