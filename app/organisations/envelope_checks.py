"""What the platform can tell of an envelope without opening it: form, context, signer, recipients.

It holds no secret key, so whether the content is what it should be only its recipients learn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from postern.envelope import Context, Envelope
from postern.hpke import PublicKey
from postern.organisation_entry import Entry
from postern.seal_errors import EnvelopeMalformedError, EnvelopeSignatureError, SignerUnknownError
from postern.signing_identity import VerifyingKey


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why an envelope is refused, and what to do."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Who must have signed an envelope, and to which keys it must be sealed.

    `recipients` are the sets of keys of which it must name exactly one.
    """

    signers: tuple[VerifyingKey, ...]
    recipients: tuple[frozenset[PublicKey], ...]


def expected(sender: Sequence[Entry], *others: Sequence[Entry]) -> Expected:
    """What is expected of an envelope that one organisation seals to itself and to others.

    Each sequence holds the entries of one organisation that it may use now, from
    `app.organisations.keys.usable`. With an empty one nothing fits.
    """
    sets = [frozenset[PublicKey]()]
    for entries in (sender, *others):
        sets = [keys | {*entry.recipients} for keys in sets for entry in entries]
    return Expected(tuple(entry.signing for entry in sender), tuple(sets))


def expected_for(sender: Sequence[Entry], recipient: Sequence[Entry]) -> Expected:
    """What is expected of an envelope that one organisation seals to another alone."""
    return Expected(
        tuple(entry.signing for entry in sender),
        tuple(frozenset(entry.recipients) for entry in recipient),
    )


def misfit(raw: bytes, context: Context, wanted: Expected) -> Misfit | None:
    """Why an envelope is refused where `context` says it stands; None when nothing speaks against.

    Checked in this order: form, context, recipients, signer, signature.
    """
    try:
        envelope = Envelope.parse(raw)
    except EnvelopeMalformedError:
        return _MALFORMED
    if envelope.head.context != context.digest():
        return _ELSEWHERE
    if not any(_same(envelope, keys) for keys in wanted.recipients):
        return _OTHER_RECIPIENTS
    try:
        envelope.check_signature(wanted.signers)
    except SignerUnknownError:
        return _OTHER_SIGNER
    except EnvelopeSignatureError:
        return _CHANGED
    return None


def _same(envelope: Envelope, keys: Iterable[PublicKey]) -> bool:
    named = [(each.suite, each.kid) for each in envelope.head.recipients]
    return sorted(named) == sorted((key.suite, key.kid) for key in keys)


_MALFORMED = Misfit(
    "It is not a sealed envelope of a version known here.",
    "Seal the content again with a present version of postern.",
)
_ELSEWHERE = Misfit(
    "It was sealed for another place than the one where it is sent.",
    "Seal the content again for this record and part; an envelope belongs to one place only.",
)
_OTHER_RECIPIENTS = Misfit(
    "It is not sealed to exactly the present keys of those who shall read it.",
    "Fetch the published keys, compare them with those that are pinned, and seal it again.",
)
_OTHER_SIGNER = Misfit(
    "It is signed by a key that is not the present one that your organisation published.",
    "Publish your keys with `postern keys publish`, or use the newest key file, and seal it again.",
)
_CHANGED = Misfit(
    "Its signature does not fit, so it was changed after it was sealed.",
    "Send it again as it was sealed; if this happens again, tell your compliance officer.",
)
