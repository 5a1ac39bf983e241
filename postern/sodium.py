"""Loading libsodium: the system's when it is there, else the one that the package rbcl carries.

Both are bound with the types of every function that `postern.group` calls.
"""

import contextlib
import ctypes
import importlib
import warnings
from pathlib import Path

_OLDEST = (10, 3)  # the interface of 1.0.18, the first release with ristretto255
_SYSTEM_NAMES = (
    "libsodium.so.26",
    "libsodium.so.23",
    "libsodium.26.dylib",
    "libsodium.23.dylib",
    "libsodium.dll",
)
_BYTES = ctypes.c_char_p  # takes `bytes` to read and an array of char to write, without a copy
_SIGNATURES = {
    "crypto_scalarmult_ristretto255": 3,
    "crypto_scalarmult_ristretto255_base": 2,
    "crypto_core_ristretto255_add": 3,
    "crypto_core_ristretto255_from_hash": 2,
    "crypto_core_ristretto255_is_valid_point": 1,
    "crypto_core_ristretto255_scalar_add": 3,
    "crypto_core_ristretto255_scalar_invert": 2,
    "crypto_core_ristretto255_scalar_mul": 3,
    "crypto_core_ristretto255_scalar_random": 1,
    "crypto_core_ristretto255_scalar_reduce": 2,
    "crypto_core_ristretto255_scalar_sub": 3,
}  # how many byte strings each function takes; a result comes first


class SodiumUnavailableError(RuntimeError):
    """No usable libsodium could be loaded from where it was looked for."""


def load() -> ctypes.CDLL:
    """The system's libsodium, else the one that the package rbcl carries.

    Raises SodiumUnavailableError when neither can be used.
    """
    try:
        return load_system()
    except SodiumUnavailableError:
        return load_rbcl()


def load_system() -> ctypes.CDLL:
    """The system's libsodium, 1.0.18 or later. Raises SodiumUnavailableError."""
    for name in _SYSTEM_NAMES:
        try:
            return _bound(ctypes.CDLL(name))
        except (OSError, SodiumUnavailableError):
            continue  # another name may still be there
    raise SodiumUnavailableError(
        "The system has no libsodium of version 1.0.18 or later. "
        "Install it (Debian and Ubuntu: libsodium23) or use the one in the package rbcl."
    )


def load_rbcl() -> ctypes.CDLL:
    """The libsodium inside the package rbcl. Raises SodiumUnavailableError.

    Importing rbcl writes the library to a temporary file and leaves it there; the file is
    removed here as soon as it is loaded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # 3.12 minds that rbcl leaves it open
            carried = importlib.import_module("rbcl._sodium")
    except (ImportError, OSError) as error:
        raise SodiumUnavailableError(
            "The libsodium in the package rbcl could not be loaded. Install libsodium on the "
            "system, or let TMPDIR name a directory from which libraries may be loaded."
        ) from error
    file = Path(carried.lib_path)
    # An own handle: rbcl's functions keep the argument types that rbcl gives them.
    library = _bound(ctypes.CDLL(str(file), handle=carried._sodium._handle))
    if Path(str(carried.__file__)).parent not in file.parents:  # never a file of the package itself
        with contextlib.suppress(OSError):  # Windows cannot remove a library in use
            file.unlink(missing_ok=True)
    return library


def version(library: ctypes.CDLL) -> str:
    """The version of a loaded library and where it came from, such as `1.0.18 (system)`."""
    number: bytes = library.sodium_version_string()
    return f"{number.decode()} ({'system' if library._name in _SYSTEM_NAMES else 'rbcl'})"


def _bound(library: ctypes.CDLL) -> ctypes.CDLL:
    try:
        for name, arguments in _SIGNATURES.items():
            getattr(library, name).argtypes = [_BYTES] * arguments
        library.sodium_version_string.restype = _BYTES
        interface = library.sodium_library_version_major(), library.sodium_library_version_minor()
    except AttributeError as error:
        raise SodiumUnavailableError(
            "This libsodium was built without ristretto255. Install a complete build."
        ) from error
    if interface < _OLDEST or library.sodium_init() < 0:
        raise SodiumUnavailableError(
            "This libsodium is too old or failed to start. Install version 1.0.18 or later."
        )
    return library
