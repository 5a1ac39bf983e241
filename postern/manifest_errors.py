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


class EngineFullError(ClientError):
    """What is screened needs more memory, or more of the disk, than the engine may take."""

    def __init__(self, memory_mib: int, spill: int, work: str) -> None:
        super().__init__(
            f"Screening took more than {memory_mib:,} MiB of memory and {spill // 2**20:,} MiB of "
            f"the disk beside it, or found no room in {work}. If the file is small, it is damaged "
            "or made to do harm: ask for it as CSV. Else give more with --memory, or free some of "
            "the disk."
        )
