"""What can go wrong between the client and a TAXII server; each message says what to do."""

from postern.client_errors import ClientError

_LONGEST_TEXT = 300  # characters of a server's sentence that are shown


class TaxiiError(ClientError):
    """Base of what a user of the TAXII client can meet."""


class ServerAddressError(TaxiiError):
    """An address is not one to which a credential may be sent."""


class ServerUnreachableError(TaxiiError):
    """No answer came, after all attempts."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The TAXII server cannot be reached: {what}. Check its address and the network, then "
            "run the same command again: it goes on where it ended."
        )


class ServerTlsError(TaxiiError):
    """The server's certificate, or our own, was not accepted."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"No secure connection to the TAXII server: {what}. Check the address and the clock; "
            "name an authority of its own as ca_file, and your certificate as certificate_file "
            "and key_file, in the section of the server in the settings."
        )


class NotTaxiiError(TaxiiError):
    """Something answers, but not in TAXII 2.1."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The address does not answer like a TAXII 2.1 server: {what}. Correct `address` in "
            "the settings to that of its discovery or API root, which its operator gave you."
        )


class ServerAnswerError(TaxiiError):
    """A TAXII answer breaks the standard in a way that cannot be read over."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"The TAXII server's answer cannot be read at {plain(place)}. Nothing of it was kept; "
            "tell the server's operator."
        )


class ServerAnswerTooLargeError(TaxiiError):
    """A page is longer than the client reads."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"A page of the TAXII server is longer than {limit} bytes and was not read. Ask for "
            "smaller pages with --limit."
        )


class CredentialRefusedError(TaxiiError):
    """401: the token, password or certificate is not accepted."""

    def __init__(self) -> None:
        super().__init__(
            "The TAXII server does not accept the credential: it is wrong, expired or revoked. Ask "
            "its operator for a new one and put it into the file that the settings name."
        )


class AccessRefusedError(TaxiiError):
    """403: the credential does not reach this far."""

    def __init__(self, words: str) -> None:
        super().__init__(
            f"The TAXII server does not allow this: {words or 'it gives no reason'}. Ask its "
            "operator for access to this collection."
        )


class NotThereError(TaxiiError):
    """404: there is no such collection or object, or it is not for us."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The TAXII server has no {what} that you may reach. `postern exchange collections` "
            "lists what there is."
        )


class BodyRefusedError(TaxiiError):
    """413: the server takes smaller requests only."""

    def __init__(self) -> None:
        super().__init__(
            "The TAXII server refuses even a single object as too large. Leave that object out, or "
            "ask the server's operator for a larger limit."
        )


class ServerRefusedError(TaxiiError):
    """Any other refusal, in the server's own words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(
            f"The TAXII server refused the request ({status}): {words or 'it gives no reason'}. "
            "Correct the request, or tell the server's operator."
        )
        self.status = status


class ServerBusyError(TaxiiError):
    """429 or 503, after all attempts."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The TAXII server asks to wait ({status}). Run the same command again later: it goes "
            "on where it ended."
        )


class ServerFailedError(TaxiiError):
    """5xx: the server itself failed."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The TAXII server failed with {status}. Run the same command again later; if it fails "
            "again, tell the server's operator."
        )


class NoProgressError(TaxiiError):
    """The server announces more, and gives no way to it."""

    def __init__(self) -> None:
        super().__init__(
            "The TAXII server announces more objects without saying how to fetch them, so the pull "
            "ended there. What came is kept; tell the server's operator."
        )


class ServerReceiptError(TaxiiError):
    """A page came without a receipt that the confirmed key signed for it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The receipt of the TAXII server is refused: {what}. Nothing of that page is kept. "
            "Compare the key with the server's operator (`flask --app wsgi audit keys` there, the "
            "line receipt), then run the same command again."
        )


class StalePlaceError(TaxiiError):
    """The server no longer takes its own token of the next page."""

    def __init__(self) -> None:
        super().__init__(
            "The TAXII server no longer takes the place where reading ended. Run the same command "
            "again: it begins this round anew, and nothing is kept twice."
        )


class ForeignFileError(TaxiiError):
    """A file of another platform cannot be read."""


class FolderError(TaxiiError):
    """The folder of received objects is damaged, in use, or of something else."""


def plain(text: object) -> str:
    """A sentence of a server that can do nothing to a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(text)[:_LONGEST_TEXT])
