"""How bytes stand in JSON, everywhere: base64url without padding (RFC 4648, section 5)."""

import binascii

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_+/=", b"+/---")
"""To the alphabet that `binascii` takes; what is not base64url becomes what is in neither."""


def to_base64url(raw: bytes) -> str:
    """Base64url without padding."""
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def from_base64url(text: str) -> bytes | None:
    """The bytes, or None when `text` is not the one canonical base64url form without padding."""
    try:
        padded = text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4)
        raw = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError:
        return None
    return raw if binascii.b2a_base64(raw, newline=False) == padded else None
