"""HTTP Basic (RFC 7617) for programs that know nothing else: the password is an API token.

Clients of TAXII and MISP speak Basic only, so it is taken at their addresses. The user name says
nothing. A token is random, so comparing it costs a hash and no slow password function.
"""

import base64
import binascii

from flask import request

PATHS = ("/taxii2/", "/misp/")
"""Where Basic is taken; everywhere else it is overlooked like any unknown scheme."""

_LONGEST = 1024  # characters of the credentials


def is_taken() -> bool:
    """Whether the request in progress may prove its caller by Basic."""
    return request.path.startswith(PATHS)


def password(credentials: str) -> str:
    """The password of the credentials; empty, which is no token, where they cannot be read."""
    if len(credentials) > _LONGEST:
        return ""
    try:
        told = base64.b64decode(credentials, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
    _, _, found = told.partition(":")
    return found


def challenge(bearer: str) -> str:
    """The header WWW-Authenticate of a 401: how one may prove who one is at this address."""
    return f'{bearer}, Basic realm="Postern", charset="UTF-8"' if is_taken() else bearer
