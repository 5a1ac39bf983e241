"""What the platform can tell of an envelope that it cannot open."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.organisations.envelope_checks import expected, expected_for, misfit
from postern.envelope import Context, Resealing
from postern.hpke import SecretKey, Suite
from postern.organisation_keys import OrganisationKeys
from postern.seal import open_envelope
from postern.seal_errors import ContextMismatchError, SealError
from postern.signing_identity import SigningIdentity
from tests.app.sealing import NO_TOKEN, member_keys, sealed

OURS, THEIRS, OLDER = member_keys("post-be"), member_keys("police-de"), member_keys("post-be")
CONTEXT = Context("post-be", "party", 3, bytes(range(16)), "key-1/0", "value")
WANTED = expected([OURS.entry])

words = st.sampled_from(["party", "phone", "report"])
contexts = st.builds(
    Context,
    owner=st.sampled_from(["post-be", "police-de"]),
    kind=words,
    epoch=st.integers(0, 3),
    token=st.sampled_from([NO_TOKEN, bytes(range(16)), bytes(range(1, 17))]),
    record=st.sampled_from(["key-1", "key-1/0", "key-1/1", "key-2/0", "key-1/00"]),
    part=st.sampled_from(["value", "note", "attachment/1", "attachment/2"]),
    resealing=st.sampled_from(
        [None, Resealing("r1", "police-de", "post-be"), Resealing("r2", "police-de", "post-be")]
    ),
)


def reason(raw: bytes, context: Context = CONTEXT) -> str:
    found = misfit(raw, context, WANTED)
    return found.reason if found else ""


@given(contexts, contexts)
@settings(max_examples=150, deadline=None)
def test_a_moved_envelope_is_refused_at_the_door_and_does_not_open(
    made: Context, found: Context
) -> None:
    assume(made != found)
    raw = sealed(OURS, made)
    assert misfit(raw, made, WANTED) is None
    assert open_envelope(raw, made, OURS.opening_keys, OURS.signers) == b"clear"
    assert reason(raw, found).startswith("It was sealed for another place")
    try:
        open_envelope(raw, found, OURS.opening_keys, OURS.signers)
    except ContextMismatchError:
        return
    raise AssertionError("it opened where it does not belong")


def test_each_cause_of_refusal_is_told_with_what_to_do() -> None:
    raw = sealed(OURS, CONTEXT)
    sealing, recovery = OURS.entry.recipients
    spare = SecretKey.new(Suite.X25519).public
    causes = {
        raw[:-1]: "It is not a sealed envelope",
        b"": "It is not a sealed envelope",
        raw + b"\0": "It is not a sealed envelope",
        sealed(OURS, CONTEXT, to=[sealing]): "It is not sealed to exactly",
        sealed(OURS, CONTEXT, to=[sealing, recovery, spare]): "It is not sealed to exactly",
        sealed(OURS, CONTEXT, to=[sealing, spare]): "It is not sealed to exactly",
        sealed(OURS, CONTEXT, to=THEIRS.entry.recipients): "It is not sealed to exactly",
        sealed(OURS, CONTEXT, by=SigningIdentity.new()): "It is signed by a key",
        sealed(OURS, CONTEXT, by=THEIRS.identity): "It is signed by a key",
        _flipped(raw, -80): "Its signature does not fit",
        _flipped(raw, -1): "Its signature does not fit",
    }
    for each, told in causes.items():
        found = misfit(each, CONTEXT, WANTED)
        assert found is not None
        assert found.reason.startswith(told)
        assert found.remedy.endswith(".")
    assert reason(raw) == ""
    assert reason(sealed(OURS, CONTEXT, to=[recovery, sealing])) == ""  # in whichever order


def test_every_bit_of_the_head_and_the_end_counts() -> None:
    raw = sealed(OURS, CONTEXT)
    for place in (*range(120), *range(len(raw) - 64, len(raw))):
        assert reason(_flipped(raw, place)), place


def test_a_message_names_the_keys_of_both_and_an_answer_those_of_one() -> None:
    both = expected([OURS.entry], [THEIRS.entry])
    raw = sealed(OURS, CONTEXT, to=[*OURS.entry.recipients, *THEIRS.entry.recipients])
    assert misfit(raw, CONTEXT, both) is None
    assert misfit(raw, CONTEXT, WANTED) is not None
    assert misfit(sealed(OURS, CONTEXT), CONTEXT, both) is not None
    answer = sealed(OURS, CONTEXT, to=THEIRS.entry.recipients)
    assert misfit(answer, CONTEXT, expected_for([OURS.entry], [THEIRS.entry])) is None
    assert misfit(raw, CONTEXT, expected_for([OURS.entry], [THEIRS.entry])) is not None


def test_nothing_fits_where_nobody_published_keys() -> None:
    raw = sealed(OURS, CONTEXT)
    for wanted in (expected([]), expected([OURS.entry], []), expected_for([], [OURS.entry])):
        assert misfit(raw, CONTEXT, wanted) is not None


def test_any_of_the_usable_entries_does_but_not_two_halves_of_them() -> None:
    usable = expected([OLDER.entry, OURS.entry])
    for keys in (OLDER, OURS):
        assert misfit(sealed(keys, CONTEXT), CONTEXT, usable) is None
    halves = [OURS.entry.sealing, OLDER.entry.recovery]
    assert misfit(sealed(OURS, CONTEXT, to=halves), CONTEXT, usable) is not None


def test_the_keys_of_another_open_nothing() -> None:
    for keys in (THEIRS, _recovered()):
        try:
            open_envelope(sealed(OURS, CONTEXT), CONTEXT, keys.opening_keys, OURS.signers)
        except SealError:
            continue
        raise AssertionError("it opened with keys that it does not name")


def _recovered() -> OrganisationKeys:
    """Keys of the same organisation, made anew."""
    return replace(OLDER, identity=OURS.identity)


def _flipped(raw: bytes, place: int) -> bytes:
    changed = bytearray(raw)
    changed[place] ^= 1
    return bytes(changed)
