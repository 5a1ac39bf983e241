"""Sealed envelopes: they open for whom and where they were meant, and nothing else opens."""

import json
import tracemalloc
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.envelope import LARGEST_CONTENT, MOST_RECIPIENTS, Envelope, Wrapped, signature
from postern.hpke import PublicKey, SecretKey, Suite
from postern.seal import (
    Context,
    Resealing,
    _derived,
    _info,
    open_envelope,
    seal,
)
from postern.seal_errors import (
    ContentDamagedError,
    ContentTooLargeError,
    ContextInvalidError,
    ContextMismatchError,
    EnvelopeMalformedError,
    EnvelopeSignatureError,
    NotARecipientError,
    RecipientsInvalidError,
    RecipientSwappedError,
    SealError,
    SignerUnknownError,
)
from postern.signing_identity import SigningIdentity, VerifyingKey
from tests.postern import sealed_vectors

OPERATIONAL, RECOVERY, OTHER = SecretKey.new(), SecretKey.new(), SecretKey.new()
CLASSICAL = SecretKey.new(Suite.X25519)
SIGNER, STRANGER = SigningIdentity.new(), SigningIdentity.new()
BOTH = (OPERATIONAL.public, RECOVERY.public)
CONTEXT = Context("post-be", "address", 3, bytes(16), "record-1", "value")
CONTENT = b"Example 12, 1000 Brussels"
SIGNATURE = 64  # bytes


def opened(
    raw: bytes,
    context: Context = CONTEXT,
    key: SecretKey = OPERATIONAL,
    signer: VerifyingKey = SIGNER.public,
) -> bytes:
    return open_envelope(raw, context, (key,), (signer,))


def rebuilt(raw: bytes, by: SigningIdentity = SIGNER, /, **changes: object) -> bytes:
    """The envelope with another head, signed again by a sealer who means harm."""
    parsed = Envelope.parse(raw)
    head = replace(parsed.head, **changes)  # type: ignore[arg-type]
    body = head.encode() + len(parsed.sealed).to_bytes(4, "big") + bytes(parsed.sealed)
    return body + signature(body, by)


@given(st.binary(max_size=2000), st.text(max_size=100))
@settings(max_examples=25, deadline=None)
def test_what_is_sealed_opens_for_every_recipient(content: bytes, text: str) -> None:
    content += text.encode("utf-8", "surrogatepass")
    raw = seal(content, CONTEXT, (*BOTH, CLASSICAL.public), SIGNER)
    for key in (OPERATIONAL, RECOVERY, CLASSICAL):
        assert opened(raw, key=key) == content


SEALED = seal(CONTENT, CONTEXT, BOTH, SIGNER)


@given(st.integers(0, len(SEALED) * 8 - 1))
@settings(max_examples=300, deadline=None)
def test_an_envelope_with_any_bit_flipped_is_refused(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((EnvelopeMalformedError, SignerUnknownError, EnvelopeSignatureError)):
        opened(bytes(changed))


def test_a_flipped_bit_of_the_content_is_told_as_a_change_after_signing() -> None:
    changed = bytearray(SEALED)
    changed[-SIGNATURE - 20] ^= 1
    with pytest.raises(EnvelopeSignatureError):
        opened(bytes(changed))


@given(st.integers(0, len(SEALED) - 1))
@settings(max_examples=100, deadline=None)
def test_a_truncated_envelope_is_refused(length: int) -> None:
    with pytest.raises(EnvelopeMalformedError, match="cut off"):
        opened(SEALED[:length])


@given(st.binary(min_size=1, max_size=300))
@settings(max_examples=25, deadline=None)
def test_a_stretched_envelope_is_refused(more: bytes) -> None:
    with pytest.raises(EnvelopeMalformedError, match="after its end"):
        opened(SEALED + more)


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_bytes_that_are_no_envelope_are_refused(raw: bytes) -> None:
    for each in (raw, SEALED[:7] + raw):
        with pytest.raises(SealError):
            opened(each)


ELSEWHERE = [
    replace(CONTEXT, owner="post-nl"),
    replace(CONTEXT, kind="phone"),
    replace(CONTEXT, epoch=4),
    replace(CONTEXT, token=bytes(15) + b"\x01"),
    replace(CONTEXT, token=b""),
    replace(CONTEXT, record="record-2"),
    replace(CONTEXT, part="attachment/1"),
    replace(CONTEXT, resealing=Resealing("request-1", "police-nl", "approver-1")),
]


@pytest.mark.parametrize("context", ELSEWHERE, ids=str)
def test_a_record_moved_to_another_context_does_not_open(context: Context) -> None:
    with pytest.raises(ContextMismatchError):
        opened(SEALED, context)


@pytest.mark.parametrize("context", ELSEWHERE, ids=str)
def test_even_the_sealer_cannot_move_a_record_without_sealing_it_again(context: Context) -> None:
    moved = rebuilt(SEALED, context=context.digest())
    with pytest.raises(RecipientSwappedError):
        opened(moved, context)


@pytest.mark.parametrize("field", ["request", "requester", "approver"])
def test_a_disclosure_opens_for_its_own_request_only(field: str) -> None:
    again = Resealing("request-1", "police-nl", "approver-1")
    raw = seal(CONTENT, replace(CONTEXT, resealing=again), (OTHER.public,), SIGNER)
    assert opened(raw, replace(CONTEXT, resealing=again), OTHER) == CONTENT
    another = replace(again, **{field: "another"})
    with pytest.raises(ContextMismatchError):
        opened(raw, replace(CONTEXT, resealing=another), OTHER)


def test_an_envelope_for_others_says_for_whom_it_is() -> None:
    with pytest.raises(NotARecipientError, match=OPERATIONAL.public.kid.hex()):
        opened(SEALED, key=OTHER)


def test_an_envelope_by_an_unknown_signer_is_refused() -> None:
    with pytest.raises(SignerUnknownError, match=SIGNER.public.kid.hex()):
        opened(SEALED, signer=STRANGER.public)


def test_a_stranger_cannot_sign_an_envelope_as_their_own() -> None:
    taken = rebuilt(SEALED, STRANGER, signer=STRANGER.public.kid)
    with pytest.raises(RecipientSwappedError):
        opened(taken, signer=STRANGER.public)


def test_a_recipient_swapped_by_someone_else_breaks_the_signature() -> None:
    first, second = Envelope.parse(SEALED).head.recipients
    whole = first.encode() + second.encode()
    for swapped in (second.encode() + first.encode(), other_part().encode() + second.encode()):
        assert SEALED.count(whole) == 1
        with pytest.raises(EnvelopeSignatureError):
            opened(SEALED.replace(whole, swapped))


def test_a_recipient_swapped_by_the_sealer_is_told() -> None:
    first, second = Envelope.parse(SEALED).head.recipients
    crossed = (
        replace(first, ciphertext=second.ciphertext),
        replace(second, ciphertext=first.ciphertext),
    )
    with pytest.raises(RecipientSwappedError):
        opened(rebuilt(SEALED, recipients=crossed))


def test_a_recipient_is_not_given_the_key_of_another_content() -> None:
    first, second = Envelope.parse(SEALED).head.recipients
    info = _info(first.suite, first.kid, SIGNER.public.kid, CONTEXT)
    false = replace(first, ciphertext=OPERATIONAL.public.encrypt(bytes(32), info))
    raw = rebuilt(SEALED, recipients=(false, second))
    with pytest.raises(RecipientSwappedError):
        opened(raw)


def test_a_sealer_cannot_hide_a_recipient_afterwards() -> None:
    first, _ = Envelope.parse(SEALED).head.recipients
    with pytest.raises(ContentDamagedError):
        opened(rebuilt(SEALED, recipients=(first,)))


def test_a_length_is_told_to_256_bytes_only() -> None:
    lengths = {len(seal(bytes(size), CONTEXT, BOTH, SIGNER)) for size in (0, 1, 100, 252)}
    longer = len(seal(bytes(253), CONTEXT, BOTH, SIGNER))
    assert lengths == {longer - 256}


def test_an_attachment_of_ten_megabytes_is_sealed_within_bounds() -> None:
    context = replace(CONTEXT, part="attachment/1")
    picture = bytes(LARGEST_CONTENT)
    tracemalloc.start()
    raw = seal(picture, context, BOTH, SIGNER)
    assert opened(raw, context) == picture
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5 * LARGEST_CONTENT


def test_a_larger_content_is_refused() -> None:
    with pytest.raises(ContentTooLargeError, match="10,000,000"):
        seal(bytes(LARGEST_CONTENT + 1), CONTEXT, BOTH, SIGNER)


def test_an_announced_length_that_no_content_has_is_refused() -> None:
    parsed = Envelope.parse(SEALED)
    at = len(parsed.head.encode())
    for length in (0, 16, 255, 273, LARGEST_CONTENT + 1_000_000, 2**32 - 1):
        changed = SEALED[:at] + length.to_bytes(4, "big") + SEALED[at + 4 :]
        with pytest.raises(EnvelopeMalformedError, match="length"):
            opened(changed)


def test_recipients_are_each_named_once_and_not_too_many() -> None:
    for wrong in ((), (BOTH[0], BOTH[0]), tuple(many_keys(MOST_RECIPIENTS + 1))):
        with pytest.raises(RecipientsInvalidError):
            seal(CONTENT, CONTEXT, wrong, SIGNER)
    raw = seal(CONTENT, CONTEXT, many_keys(MOST_RECIPIENTS), SIGNER)
    assert len(Envelope.parse(raw).head.recipients) == MOST_RECIPIENTS


def many_keys(number: int) -> list[PublicKey]:
    return [SecretKey.new(Suite.X25519).public for _ in range(number)]


def other_part() -> Wrapped:
    info = _info(OTHER.public.suite, OTHER.public.kid, SIGNER.public.kid, CONTEXT)
    return Wrapped(OTHER.public.suite, OTHER.public.kid, OTHER.public.encrypt(bytes(32), info))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner", "Post BE"),
        ("kind", ""),
        ("epoch", -1),
        ("epoch", 2**32),
        ("token", bytes(15)),
        ("record", "a b"),
        ("record", "r" * 129),
        ("part", "attachment/"),
    ],
)
def test_a_context_out_of_form_is_refused(field: str, value: object) -> None:
    with pytest.raises(ContextInvalidError, match=field):
        replace(CONTEXT, **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["request", "requester", "approver"])
def test_a_disclosure_out_of_form_is_refused(field: str) -> None:
    with pytest.raises(ContextInvalidError, match=field):
        replace(Resealing("request-1", "police-nl", "approver"), **{field: "a b"})


def test_no_two_contexts_are_encoded_alike() -> None:
    contexts = [CONTEXT, *ELSEWHERE, replace(CONTEXT, owner="post-bea", kind="ddress")]
    assert len({each.encode() for each in contexts}) == len(contexts)


def test_the_known_envelope_opens_for_each_of_its_keys() -> None:
    known = json.loads(sealed_vectors.FILE.read_text(encoding="utf-8"))
    raw, context = bytes.fromhex(known["envelope"]), sealed_vectors.CONTEXT
    assert context.encode().hex() == known["context"]
    signer = SigningIdentity(bytes.fromhex(known["identity_seed"])).public
    hybrid = (known["sealing_seeds"][-1], known["recovery_seed"])
    keys = [SecretKey(Suite.MLKEM768_X25519, bytes.fromhex(seed)) for seed in hybrid]
    keys.append(SecretKey(Suite.X25519, bytes.fromhex(known["x25519_seed"])))
    for key in keys:
        assert opened(raw, context, key, signer).hex() == known["content"]


def test_an_error_repeats_no_content() -> None:
    for change in (SEALED[:-1], rebuilt(SEALED, recipients=(other_part(),))):
        with pytest.raises(SealError) as caught:
            opened(change)
        assert CONTENT.decode() not in str(caught.value)


def test_padding_that_is_not_the_only_one_is_refused() -> None:
    secret = OPERATIONAL.decrypt(
        Envelope.parse(SEALED).head.recipients[0].ciphertext,
        _info(OPERATIONAL.public.suite, OPERATIONAL.public.kid, SIGNER.public.kid, CONTEXT),
    )
    key, _ = _derived(secret)
    head = Envelope.parse(SEALED).head.encode()
    for padded in (
        (3).to_bytes(4, "big") + b"abc" + bytes(248) + b"\x01",
        (3).to_bytes(4, "big") + b"abc" + bytes(249 + 256),
        (10_000).to_bytes(4, "big") + bytes(252),
    ):
        sealed = AESGCM(key).encrypt(bytes(12), padded, head)
        body = head + len(sealed).to_bytes(4, "big") + sealed
        with pytest.raises(ContentDamagedError):
            opened(body + signature(body, SIGNER))
