"""What can go wrong with a key file and its members. None repeats a passphrase or a key."""

from postern.client_errors import ClientError


class KeyFileError(ClientError):
    """A key file cannot be used as asked; each subclass says why."""


class KeyFileDamagedError(KeyFileError):
    """The file cannot be read, breaks a rule of its layout, or was changed."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"The key file cannot be used: {rule}. Check which file is meant, or use a copy from a "
            "backup."
        )


class KeyFileExistsError(KeyFileError):
    """A file of that name is there already; keys are never written over."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"There is a file {path} already, and keys are not written over. Name another file, or "
            "move that one away."
        )


class KeyFileChangedError(KeyFileError):
    """The file was written by someone else between reading and writing."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"The key file {path} was changed by someone else meanwhile, and nothing was written. "
            "Run the same command again."
        )


class WrongPassphraseError(KeyFileError):
    """The passphrase is not the member's."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The passphrase is not the one of {name}. Try again; if it is lost, another member "
            "can add you anew, or use `postern keys recover`."
        )


class MemberUnknownError(KeyFileError):
    """There is no member of that name, or the name is none."""


class MemberExistsError(KeyFileError):
    """A member is there already, or there would be too many or none."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"A key file has 1 to {most} members, each with a name of their own. Choose another "
            "name, or remove a member first; the last one cannot be removed."
        )


class RecoveryKeyMismatchError(KeyFileError):
    """The recovery key is not the one to which the key file is wrapped."""

    def __init__(self) -> None:
        super().__init__(
            "The recovery file does not belong to this key file. Use the recovery file that was "
            "made together with it."
        )


class KeyContentError(KeyFileError):
    """A key file opened, but what it holds are not the keys that were expected."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"The keys in the file cannot be used: {rule}. Use a copy from a backup, and tell "
            "your compliance officer."
        )
