"""What bounds an API token beside its scopes: networks, a certificate; and who is told of its end.

A stolen token opens nothing from elsewhere, and nothing without the key of its certificate.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.accounts.models import ApiToken
from app.errors import InvalidRequestError
from app.jobs.notifications import notify
from app.runtime import runtime
from postern.base64url import from_base64url, to_base64url
from postern.vocabulary import Role

MOST_NETWORKS = 20
LONGEST_NETWORK = 43  # characters of an IPv6 network
_THUMBPRINT = 32  # bytes
_WARNED = 200  # tokens in one run of the duty


@dataclass(frozen=True)
class Bounds:
    """`networks` in CIDR, empty for anywhere; `certificate` is a SHA-256 of DER (RFC 8705).

    `certificate_suffices`: who holds its key needs no secret, as TAXII clients with mutual TLS.
    """

    networks: tuple[str, ...] = ()
    certificate: bytes | None = None
    certificate_suffices: bool = False

    @property
    def thumbprint(self) -> str | None:
        """`x5t#S256`: the certificate's SHA-256 as 43 characters of base64url."""
        return None if self.certificate is None else to_base64url(self.certificate)

    def details(self) -> dict[str, Any]:
        """What the log says of them, nothing of what is not bound."""
        told: dict[str, Any] = {}
        if self.networks:
            told["networks"] = list(self.networks)
        if self.certificate is not None:
            told["certificate"] = self.thumbprint
            told["certificate_suffices"] = self.certificate_suffices
        return told


ANYWHERE = Bounds()


def read_bounds(
    networks: Iterable[str] = (), certificate: str = "", *, certificate_suffices: bool = False
) -> Bounds:
    """Bounds as people write them; InvalidRequestError names what cannot be read.

    A certificate is named by `x5t#S256` or by its SHA-256 in hexadecimal digits, with or without
    colons, as `openssl x509 -fingerprint -sha256` prints it.
    """
    errors, read = [], []
    for each in networks:
        try:
            read.append(str(ipaddress.ip_network(each.strip())))
        except ValueError:
            reason = "Write networks as 192.0.2.0/24 or 2001:db8::/32, without bits of a host."
            errors.append({"field": "networks", "reason": reason})
            break
    thumbprint = _thumbprint(certificate.strip()) if certificate.strip() else None
    if certificate.strip() and thumbprint is None:
        reason = "Write the SHA-256 of the certificate: 43 characters (x5t#S256) or 64 digits."
        errors.append({"field": "certificate", "reason": reason})
    if errors:
        raise InvalidRequestError("The token cannot be made", errors=errors)
    return Bounds(tuple(dict.fromkeys(read)), thumbprint, certificate_suffices)


def faults_of(bounds: Bounds) -> list[dict[str, str]]:
    """What of the bounds makes no sense, as field and reason."""
    faults = []
    if len(bounds.networks) > MOST_NETWORKS:
        reason = f"A token has at most {MOST_NETWORKS} networks."
        faults.append({"field": "networks", "reason": reason})
    if bounds.certificate_suffices and bounds.certificate is None:
        reason = "Only a certificate that is named can suffice."
        faults.append({"field": "certificate_suffices", "reason": reason})
    return faults


def warn_of_ends(session: Session) -> int:
    """Tell organisations, once for each token, that it ends within `token.warning_days`."""
    moment = clock.now()
    soon = moment + timedelta(days=runtime().settings.token.warning_days)
    rows = session.scalars(
        select(ApiToken)
        .where(
            ApiToken.expires_at > moment,
            ApiToken.expires_at <= soon,
            ApiToken.revoked_at.is_(None),
            ApiToken.warned_at.is_(None),
        )
        .order_by(ApiToken.expires_at)
        .limit(_WARNED)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.warned_at = moment
        facts = {"token": str(row.public_id), "until": f"{row.expires_at:%Y-%m-%d}"}
        notify(session, row.organisation_id, Role.ADMINISTRATOR, "token.ending", facts, _TOKENS)
    return len(rows)


_TOKENS = "/tokens"


def _thumbprint(text: str) -> bytes | None:
    digits = text.replace(":", "")
    try:
        found = bytes.fromhex(digits) if len(digits) == 2 * _THUMBPRINT else from_base64url(text)
    except ValueError:
        return None
    return found if found is not None and len(found) == _THUMBPRINT else None
