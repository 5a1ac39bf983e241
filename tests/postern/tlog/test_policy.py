import itertools

import pytest

from postern.tlog.notes import (
    KIND_COSIGNATURE,
    Note,
    NoteError,
    Signature,
    SigningKey,
    Verified,
    VerifierKey,
    verified,
)
from postern.tlog.policy import GroupLine, LogLine, Policy, WitnessLine
from postern.tlog.strict import MalformedError
from tests.postern.tlog.vectors import LOG, NOON, WITNESSES, flipped, signed

TEXT = f"{LOG.verifier.name}\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
KEYS = {f"W{number}": WITNESSES[number - 1] for number in (1, 2, 3)}
LOG_LINE = f"log {LOG.verifier}\n"
WITNESS_LINES = "".join(f"witness {name} {key.verifier}\n" for name, key in KEYS.items())
KNOWN = LOG_LINE + WITNESS_LINES


def cosigned_by(*names: str) -> Note:
    lines = (LOG.sign(TEXT), *(KEYS[name].cosign(TEXT, NOON) for name in names))
    return Note(TEXT, lines)


def test_a_policy_is_read():
    policy = Policy.parse(
        f"# of the members\n\n \t log\t{LOG.verifier}  https://log.example/audit/ \n"
        + WITNESS_LINES
        + "  # two of three\ngroup members 2 W1 W2 W3\nquorum members\n"
    )
    assert policy == Policy(
        logs=(LogLine(LOG.verifier, "https://log.example/audit/"),),
        witnesses=tuple(WitnessLine(name, key.verifier) for name, key in KEYS.items()),
        groups=(GroupLine("members", 2, ("W1", "W2", "W3")),),
        quorum="members",
    )
    assert Policy.parse(policy.encode()) == policy
    assert policy.keys == (LOG.verifier, *(key.verifier for key in KEYS.values()))


def test_a_policy_is_written_as_the_standard_writes_it():
    written = KNOWN + "group G 2 W1 W2 W3\nquorum G\n"
    assert Policy.parse(written).encode() == written.encode()


@pytest.mark.parametrize(
    ("rules", "enough"),
    [
        ("quorum none\n", lambda names: True),
        ("quorum W2\n", lambda names: "W2" in names),
        ("group G any W1 W2\nquorum G\n", lambda names: bool(names & {"W1", "W2"})),
        ("group G all W1 W2 W3\nquorum G\n", lambda names: len(names) == 3),
        ("group G 2 W1 W2 W3\nquorum G\n", lambda names: len(names) >= 2),
        (
            "group A any W1 W2\ngroup B all A W3\nquorum B\n",
            lambda names: "W3" in names and bool(names & {"W1", "W2"}),
        ),
        ("group A any W1\ngroup B any W2 W3\nquorum A\n", lambda names: "W1" in names),
    ],
)
def test_a_checkpoint_needs_the_cosignatures_of_the_quorum(rules, enough):
    policy = Policy.parse(KNOWN + rules)
    assert Policy.parse(policy.encode()) == policy
    for count in range(4):
        for names in itertools.combinations(KEYS, count):
            note = cosigned_by(*names)
            assert policy.satisfied_by(note) is enough(set(names))
            assert policy.satisfied_by(verified(note, policy.keys)) is enough(set(names))


def test_one_witness_is_not_counted_twice_for_signing_twice():
    policy = Policy.parse(KNOWN + "group G 2 W1 W2 W3\nquorum G\n")
    twice = (WITNESSES[0].cosign(TEXT, NOON), WITNESSES[0].cosign(TEXT, NOON + 1))
    assert not policy.satisfied_by(Note(TEXT, (LOG.sign(TEXT), *twice)))


def test_a_quorum_without_the_log_is_not_enough():
    policy = Policy.parse(KNOWN + "quorum W1\n")
    only_witness = Note(TEXT, (WITNESSES[0].cosign(TEXT, NOON),))
    assert not policy.satisfied_by(only_witness)
    assert not policy.satisfied_by([Verified(WITNESSES[0].verifier, NOON)])
    without_logs = Policy.parse(WITNESS_LINES + "quorum W1\n")
    assert without_logs.satisfied_by(only_witness)


def test_a_log_does_not_satisfy_a_policy_for_the_origin_of_another():
    other = TEXT.replace(LOG.verifier.name, "other.example/audit")
    policy = Policy.parse(LOG_LINE + "quorum none\n")
    assert policy.satisfied_by(Note.parse(signed(TEXT)))
    assert not policy.satisfied_by(Note.parse(signed(other)))


def test_a_stranger_with_the_name_of_a_witness_is_not_counted():
    stranger = SigningKey("witness.example/1", b"s" * 32, KIND_COSIGNATURE)
    policy = Policy.parse(KNOWN + "quorum W1\n")
    assert not policy.satisfied_by(Note(TEXT, (LOG.sign(TEXT), stranger.cosign(TEXT, NOON))))


def test_a_bad_signature_of_a_known_key_is_refused():
    policy = Policy.parse(KNOWN + "quorum W1\n")
    good = WITNESSES[1].cosign(TEXT, NOON)
    bad = Signature(good.name, good.key_id, flipped(good.blob, 100))
    with pytest.raises(NoteError):
        policy.satisfied_by(Note(TEXT, (LOG.sign(TEXT), WITNESSES[0].cosign(TEXT, NOON), bad)))


SAME_KEY = VerifierKey("elsewhere.example", KIND_COSIGNATURE, WITNESSES[0].verifier.public)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no quorum"),
        (KNOWN, "no quorum"),
        ("quorum none", "does not end"),
        ("quorum none\nquorum none\n", "line 2"),
        ("quorum\n", "line 1"),
        ("quorum W1\n", "line 1"),
        ("quorum W1\n" + WITNESS_LINES, "line 1"),
        ("Quorum none\n", "line 1"),
        ("quorum none # comment\n", "line 1"),
        ("log nonsense\nquorum none\n", "line 1"),
        (f"log 0{LOG.verifier}\nquorum none\n", "in line 1, the id of the key 0log"),
        (f"log {LOG.verifier} url more\nquorum none\n", "line 1"),
        (f"log {WITNESSES[0].verifier}\nquorum none\n", "kind 0x01"),
        (f"witness W {LOG.verifier}\nquorum none\n", "kind 0x04"),
        (LOG_LINE + LOG_LINE + "quorum none\n", "twice"),
        (WITNESS_LINES + f"witness W9 {SAME_KEY}\nquorum none\n", "twice"),
        (f"witness none {SAME_KEY}\nquorum none\n", "none"),
        (WITNESS_LINES + "group W1 any W2\nquorum none\n", "defined twice"),
        (WITNESS_LINES + "group G any\nquorum G\n", "line 4"),
        (WITNESS_LINES + "group G any W4\nquorum G\n", "line 4"),
        (WITNESS_LINES + "group G any none\nquorum G\n", "line 4"),
        (WITNESS_LINES + "group G any G\nquorum G\n", "line 4"),
        (WITNESS_LINES + "group G 0 W1\nquorum G\n", "fewer than one"),
        (WITNESS_LINES + "group G 3 W1 W2\nquorum G\n", "more than all"),
        (WITNESS_LINES + "group G 02 W1 W2\nquorum G\n", "line 4"),
        (WITNESS_LINES + "group G some W1 W2\nquorum G\n", "line 4"),
        (WITNESS_LINES + "group G 2 W1 W1\nquorum G\n", "counted twice"),
        (WITNESS_LINES + "group A any W1\ngroup B 2 A W1\nquorum B\n", "counted twice"),
        ("quorum none\r\n", "control character"),
        ("quorum none\x0c\n", "control character"),
    ],
)
def test_a_policy_with_a_fault_is_refused_and_the_fault_is_named(text, said):
    with pytest.raises(MalformedError, match=said):
        Policy.parse(text)


def test_names_are_octets_and_need_not_be_text():
    key = WITNESSES[0].verifier
    written = b"witness \xe2\x84\xaa\xff " + str(key).encode() + b"\nquorum \xe2\x84\xaa\xff\n"
    policy = Policy.parse(written)
    assert policy.encode() == written
    with pytest.raises(MalformedError, match="line 2"):
        Policy.parse(written.replace(b"quorum \xe2\x84\xaa\xff", b"quorum K\xff"))


@pytest.mark.parametrize(
    "parts",
    [
        {"quorum": "unknown"},
        {"groups": (GroupLine("G", 1, ("unknown",)),)},
        {"witnesses": (WitnessLine("two words", SAME_KEY),)},
        {"witnesses": (WitnessLine("", SAME_KEY),)},
        {"witnesses": (WitnessLine("W", SAME_KEY, "https://a.example/\nquorum none"),)},
        {"logs": (LogLine(LOG.verifier, "https://a.example/ b"),)},
    ],
)
def test_a_policy_that_could_not_be_read_back_is_not_made(parts):
    whole = {"logs": (), "witnesses": (), "groups": (), "quorum": "none"}
    with pytest.raises(MalformedError):
        Policy(**(whole | parts))
