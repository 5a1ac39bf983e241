"""An authenticator in a few lines: makes passkeys and signs with them as a browser hands it on."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from postern.base64url import from_base64url, to_base64url

PRESENT_AND_VERIFIED = 0x05
PRESENT = 0x01
_ATTESTED = 0x40


@dataclass
class Authenticator:
    """One passkey of the site `host` (WebAuthn level 3, 6.1)."""

    origin: str
    flags: int = PRESENT_AND_VERIFIED
    count: int = 0
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: dict[str, Any]) -> str:
        """The answer to creation options, as JSON."""
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        held = bytes(16) + len(self.credential).to_bytes(2) + self.credential + public
        told = self._told(options["rp"]["id"], self.flags | _ATTESTED) + held
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": told})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(client, attestationObject=attestation)

    def sign(self, options: dict[str, Any]) -> str:
        """The answer to request options, as JSON; counts."""
        self.count += 1
        told = self._told(options["rpId"], self.flags)
        client = self._client("webauthn.get", options["challenge"])
        digest = hashlib.sha256(client).digest()
        signature = self.key.sign(told + digest, ec.ECDSA(hashes.SHA256()))
        return self._answer(client, authenticatorData=told, signature=signature)

    def _told(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        assert from_base64url(challenge) is not None
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, client: bytes, **response: bytes) -> str:
        told = {name: to_base64url(value) for name, value in response.items()}
        return json.dumps(
            {
                "id": to_base64url(self.credential),
                "rawId": to_base64url(self.credential),
                "type": "public-key",
                "response": told | {"clientDataJSON": to_base64url(client)},
            }
        )
