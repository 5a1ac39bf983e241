"""From a sealed row to a receipt, command by command; and everything a platform might try."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from postern import key_file_form
from postern.cli import cli
from postern.delivery_receipt import Receipt, verify
from postern.key_file import Member
from postern.organisation_keys import OrganisationKeys, lock_keys, rotated
from postern.sealed_content import Value, context_of_value
from postern.sealing import Sealer
from postern.vocabulary import Kind, TokenCheck
from tests.postern import premises
from tests.postern.loopback_exchange import POLICE_TOKEN, LoopbackExchange, Stored
from tests.postern.loopback_platform import TOKEN, serving, to_bytes, to_text

WHY = ("--purpose", "parcel_screening", "--case", "C-1", "--legal-basis", "postal_law")
OPTIONS = (*WHY, "--learned", "carrier_record", "--workers", "1")
HEADER = "sender_name,sender_street,sender_postcode,sender_city,sender_country,sender_phone,Remarks"
ROW = "Jan de Vries,Keizersgracht 12,1015 CS,Amsterdam,NL,+31201234567,Smells of vinegar"
NOTE = "Smells of vinegar"


@dataclass(frozen=True)
class Premises:
    """What one organisation has at home."""

    home: Path
    config: Path
    keys: OrganisationKeys

    def run(self, *arguments: object, typed: str = "") -> Result:
        words = ["--config", str(self.config), *map(str, arguments)]
        return CliRunner().invoke(cli, words, input=typed)

    def well(self, *arguments: object, typed: str = "") -> str:
        """What a command that must end well printed."""
        result = self.run(*arguments, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def told(self, *arguments: object) -> Any:
        return json.loads(self.well(*arguments, "--json"))

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.home / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postern.transport.PAUSES", ())
    monkeypatch.setattr("postern.commands.own_keys.unlock_keys", premises.unlocked)


@pytest.fixture
def platform() -> Iterator[LoopbackExchange]:
    with serving(LoopbackExchange()) as running:
        assert isinstance(running, LoopbackExchange)
        yield running


def settle(platform: LoopbackExchange, home: Path, code: str, token: str) -> Premises:
    home.mkdir()
    token_file = home / "token"
    token_file.touch(mode=0o600)
    token_file.write_text(token)
    config = home / "config.toml"
    locked = premises.locked(code)
    made = Premises(home, config, locked.keys)
    made.well(
        *("init", "--address", platform.address, "--token-file", token_file),
        *("--fingerprint", platform.fingerprint),
    )
    locked.put(home)
    text = config.read_text()
    for line in ('file = "keys.json"', 'member = "dispatch"', 'passphrase_file = "passphrase"'):
        text = text.replace(f"# {line}", line)
    config.write_text(text)
    platform.directory[code] = premises.published(locked.keys)
    return made


@pytest.fixture
def post(platform: LoopbackExchange, tmp_path: Path) -> Premises:
    made = settle(platform, tmp_path / "post", premises.OWNER, TOKEN)
    premises.pin(premises.locked(premises.REQUESTER).keys, made.home / "config.organisations.json")
    return made


@pytest.fixture
def police(platform: LoopbackExchange, tmp_path: Path) -> Premises:
    made = settle(platform, tmp_path / "police", premises.REQUESTER, POLICE_TOKEN)
    premises.pin(premises.locked(premises.OWNER).keys, made.home / "config.organisations.json")
    return made


def submitted(post: Premises, platform: LoopbackExchange) -> str:
    """The id of a report that was submitted sealed."""
    post.well("submit", post.file("in.csv", f"{HEADER}\n{ROW}\n"), *OPTIONS)
    ((report, _),) = platform.taken.items()
    return report


ASK = ("--lookup", "l-1", "--owner", "post-be", "--case", "PV-7")


def asked(police: Premises, platform: LoopbackExchange, report: str, *more: object) -> str:
    """The id of a request for value and note of the report's first indicator."""
    options = more or ("--ask", "value,note", "--text", "It is urgent.")
    made = police.told("request", "--indicator", platform.indicator_of(report), *ASK, *options)
    return str(made["id"])


def test_a_row_goes_in_sealed_and_nothing_of_it_in_clear(
    post: Premises, platform: LoopbackExchange
) -> None:
    report = platform.taken[submitted(post, platform)]
    assert [set(each["sealed"]) for each in report["indicators"]] == [{"value", "note"}] * 2
    sent = json.dumps(platform.bodies)
    for clear in ("Vries", "Keizersgracht", "vinegar", "201234567"):
        assert clear not in sent
    again = post.run("submit", post.home / "in.csv", *OPTIONS, "--json")
    assert json.loads(again.stdout)["sealed"] is True
    assert len(platform.taken) == 1


def test_a_run_that_is_sealed_again_is_recognised(
    post: Premises, platform: LoopbackExchange
) -> None:
    submitted(post, platform)
    journal = post.home / "in.csv.journal"
    journal.write_text(journal.read_text().splitlines()[0] + "\n")  # the fate was lost
    told = json.loads(post.run("submit", post.home / "in.csv", *OPTIONS, "--json").stdout)
    assert (told["existing"], told["rejected"]) == (1, 0)
    first, second = (body["reports"][0] for body in platform.sent_to("/api/v1/reports"))
    assert first["indicators"][0]["sealed"] != second["indicators"][0]["sealed"]


def test_sealing_begun_without_keys_does_not_go_on_with_them(
    post: Premises, platform: LoopbackExchange
) -> None:
    file = post.file("in.csv", f"{HEADER}\n{ROW}\n")
    told = json.loads(post.well("submit", file, *OPTIONS, "--unsealed", "--json"))
    assert told["sealed"] is False
    assert told["unused_columns"] == [
        "Remarks (free text goes sealed or not at all: give --key-file)"
    ]
    assert "sealed" not in platform.sent_to("/api/v1/reports")[0]["reports"][0]["indicators"][0]
    result = post.run("submit", file, *OPTIONS)
    assert result.exit_code == 1
    assert "began with other options" in result.stderr


def test_an_induction_point_has_its_note_sealed_and_no_value(
    post: Premises, platform: LoopbackExchange
) -> None:
    file = post.file("in.csv", "induction_point,note\nBRU-12,seen twice\n")
    post.well("submit", file, *OPTIONS, "--operator", "bpost", "--country", "be")
    (report,) = platform.taken
    (envelope,) = platform._held(report)
    assert (envelope.wire["part"], envelope.wire["epoch"]) == ("note", 0)
    police_less = ("requests", "show", "none")
    assert post.run(*police_less).exit_code == 1


def test_a_note_that_is_too_long_comes_back_with_its_row(
    post: Premises, platform: LoopbackExchange
) -> None:
    file = post.file("in.csv", f"phone,note\n+31201234567,{'x' * 10_001}\n")
    assert post.run("submit", file, *OPTIONS).exit_code == 3
    rejected = (post.home / "in.rejected.csv").read_text(encoding="utf-8-sig")
    assert "longer than 10,000 characters" in rejected
    assert not platform.taken


@pytest.mark.parametrize("cause", ["unpublished", "older", "newer", "swapped", "other"])
def test_nothing_is_sealed_to_keys_that_others_do_not_know(
    post: Premises, platform: LoopbackExchange, cause: str
) -> None:
    own, now = post.keys, datetime.now(UTC)
    words = {
        "unpublished": "are not published on the platform",
        "older": "holds 1 of the 2 entries",
        "newer": "the platform has 1 of 2 entries",
        "swapped": "STOP. THE KEYS OF POST-BE WERE SWAPPED",
        "other": "The key file is of police-de",
    }
    match cause:
        case "unpublished":
            platform.directory.clear()
        case "older":
            platform.directory["post-be"] = premises.published(rotated(own, now))
        case "newer":
            _replace_key_file(post, rotated(own, now))
        case "swapped":
            platform.directory["post-be"] = premises.published(premises.fresh_keys("post-be"))
        case "other":
            premises.locked("police-de").put(post.home)
    result = post.run("submit", post.file("in.csv", f"{HEADER}\n{ROW}\n"), *OPTIONS)
    assert result.exit_code == 1
    assert words[cause] in result.stderr
    assert not platform.taken
    assert [code for code, _ in platform.alarms] == (["post-be"] if cause == "swapped" else [])


def _replace_key_file(at: Premises, keys: OrganisationKeys) -> None:
    code = keys.entry.organisation
    member = Member.new(premises.MEMBER, premises.PASSPHRASE, code)
    key_file_form.write(at.home / "keys.json", lock_keys(keys, [member]))


def test_the_passphrase_is_asked_for_when_no_file_holds_it(
    post: Premises, platform: LoopbackExchange
) -> None:
    config = post.config.read_text().replace("passphrase_file =", "# passphrase_file =")
    post.config.write_text(config)
    file = post.file("in.csv", f"{HEADER}\n{ROW}\n")
    result = post.run("submit", file, *OPTIONS, typed="wrong\n")
    assert result.exit_code == 1
    assert "passphrase" in result.stderr.lower()
    post.well("submit", file, *OPTIONS, typed=premises.PASSPHRASE + "\n")
    assert len(platform.taken) == 1


def test_files_are_attached_and_numbered(
    post: Premises, platform: LoopbackExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = submitted(post, platform)
    label, xray = (
        post.file("label.jpg", b"\xff\xd8 label"),
        post.file("x ray.tiff", b"II*\0 secret"),
    )
    assert "label.jpg is attached as number 1" in post.well("attach", report, label, xray)
    assert "as number 3" in post.well("attach", report, label)
    numbers = [each.wire["number"] for each in platform._held(report) if each.wire["number"]]
    assert numbers == [1, 2, 3]
    assert not any(b"secret" in each.content for each in platform._held(report))
    too_many = post.run("attach", report, *[label] * 8)
    assert too_many.exit_code == 1
    assert "holds 3 files, and 8 are given" in too_many.stderr
    sent = len(platform.calls)
    monkeypatch.setattr("postern.commands.attach.LARGEST_CONTENT", 5)
    assert "larger than" in post.run("attach", report, label).stderr
    assert len(platform.calls) == sent


def test_sealed_rows_go_in_requests_that_a_platform_takes(
    post: Premises, platform: LoopbackExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postern.submission._LARGEST_SEALED", 9000)
    rows = "\n".join(f"+3120123456{number}" for number in range(5))
    post.well("submit", post.file("in.csv", f"phone\n{rows}\n"), *OPTIONS)
    sent = [len(body["reports"]) for body in platform.sent_to("/api/v1/reports")]
    assert sent == [2, 2, 1]
    assert len(platform.taken) == 5


def test_a_request_is_decided_in_part_and_received_with_a_receipt(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    report = submitted(post, platform)
    request = asked(
        police,
        platform,
        report,
        "--ask",
        "value,note",
        "--urgency",
        "urgent",
        "--action",
        "locate",
        "--text",
        "Where is\nthe sender?",
    )
    assert "Where is" not in json.dumps(platform.bodies)
    assert "urgent" in police.well("requests")
    assert "7 h" in post.well("requests", "--received")

    shown = post.well("requests", "show", request)
    for told in ("case PV-7", "Where is", "name      Jan de Vries", NOTE, "criminal_procedure"):
        assert told in shown
    assert "Vries" not in police.well("requests", "show", request)

    decided = post.well(
        "decide",
        request,
        "--release",
        "value",
        "--reason",
        "partly_necessary",
        "--text",
        "The note stays here.",
        typed="y\n",
    )
    assert "Jan de Vries" in decided
    assert NOTE not in decided
    (decision,) = platform.requests[request].decisions
    assert (decision["answer"], len(decision["parts"])) == ("part", 1)
    got = police.well("receive", request)
    for told in ("The note stays here.", "street    Keizersgracht 12", "derived again, it is the"):
        assert told in got
    (receipt,) = platform.requests[request].receipts
    raw = platform.requests[request].deliveries[receipt["delivery"]]
    signed = Receipt(request, receipt["delivery"], _sha256(raw), TokenCheck.MATCHES)
    signature, kid = to_bytes(receipt["signature"]), to_bytes(receipt["kid"])
    assert receipt["check"] == "matches"
    assert verify(signed, signature, kid, police.keys.signers)
    evaluated = platform.sent_to("/api/v1/evaluate")[-1]
    assert (evaluated["purpose"], evaluated["case"]) == ("criminal_investigation", "PV-7")

    again = police.told("receive", request)
    assert again["received"][0]["fields"]["name"] == "Jan de Vries"
    assert len(platform.requests[request].receipts) == 1
    assert "Vries" not in json.dumps(platform.bodies)


def _sha256(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def test_question_and_answer_go_sealed_between_the_two(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    post.well("requests", "ask-back", request, "--text-file", post.file("q", "Which weeks?\n"))
    assert "stands still" in post.well("requests", "--received")
    assert "Which weeks?" in police.well("requests", "show", request)
    police.well("requests", "answer", request, "--text-file", "-", typed="Weeks 40 to 42\n")
    assert "Weeks 40 to 42" in post.well("requests", "show", request)
    told = post.told("requests", "show", request)
    assert [each["kind"] for each in told["opened_messages"]] == ["ask", "question", "answer"]
    assert told["opened"][0]["fields"]["city"] == "Amsterdam"
    assert "weeks" not in json.dumps(platform.bodies).lower()
    police.well("requests", "withdraw", request)
    assert platform.requests[request].wire["state"] == "withdrawn"


def test_a_second_person_confirms_or_rejects(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    platform.needs_second = True
    request = asked(police, platform, submitted(post, platform))
    decided = post.well("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    decision = platform.requests[request].wire["decision"]["id"]
    assert f"postern decide {request} --confirm {decision}" in decided
    assert "open" in post.well("decide", request, "--reject", decision)
    assert "released" in post.well("decide", request, "--confirm", decision)


def test_nothing_is_refused_with_a_reason_and_without_a_key_file(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    (post.home / "keys.json").unlink()
    told = post.well("decide", request, "--release", "nothing", "--reason", "not_necessary")
    assert "The request is refused now." in told
    assert platform.requests[request].decisions[0]["parts"] == []
    assert "nothing of it lies ready" in police.run("receive", request).stderr


def test_files_are_saved_under_a_harmless_name(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    report = submitted(post, platform)
    odd = post.file("..;rm -rf x.jpg", b"\xff\xd8 picture")
    post.well("attach", report, odd)
    request = asked(police, platform, report, "--ask", "attachment", "--text", "t")
    look = post.home / "look"
    assert "..;rm -rf x.jpg (image/jpeg, 10 bytes)" in post.well(
        "requests", "show", request, "--save", look
    )
    post.well("decide", request, "--release", "attachment/1", "--reason", "necessary", "--yes")
    got = police.home / "got"
    police.well("receive", request, "--save", got)
    (saved,) = got.iterdir()
    assert saved.read_bytes() == b"\xff\xd8 picture"
    assert saved.stat().st_mode & 0o777 == 0o600
    assert saved.name.startswith("1-")
    assert saved.name.endswith("-rm_-rf_x.jpg")
    police.well("receive", request, "--save", got)  # the same again is no other file
    saved.write_bytes(b"mine")
    assert "is another file" in police.run("receive", request, "--save", got).stderr
    assert saved.read_bytes() == b"mine"
    assert [each["check"] for each in platform.requests[request].receipts] == ["not_checked"]


def test_what_is_not_asked_or_not_held_is_not_released(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    report = submitted(post, platform)
    request = asked(police, platform, report, "--ask", "value")
    result = post.run("decide", request, "--release", "value,note", "--reason", "necessary")
    assert result.exit_code == 1
    assert "note is not asked or not held. Asked is value" in result.stderr
    none = asked(police, platform, report, "--ask", "attachment")
    result = post.run("decide", none, "--release", "all", "--reason", "necessary")
    assert "--release nothing --reason not_held" in result.stderr
    assert not platform.requests[request].decisions


def test_more_than_one_decision_can_carry_is_told_before_anything_is_fetched(
    post: Premises,
    police: Premises,
    platform: LoopbackExchange,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = asked(police, platform, submitted(post, platform))
    monkeypatch.setattr("postern.commands.decide._LARGEST", 3000)
    result = post.run("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    assert result.exit_code == 1
    assert "Release the files that are needed most" in result.stderr
    post.well("decide", request, "--release", "note", "--reason", "necessary", "--yes")


def test_the_approver_may_still_say_no(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    result = post.run("decide", request, "--release", "all", "--reason", "necessary", typed="n\n")
    assert result.exit_code == 1
    assert not platform.requests[request].decisions


def test_the_hits_of_a_lookup_tell_lookup_and_owner(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    report = submitted(post, platform)
    indicator = platform.indicator_of(report)
    hit = {"organisation": {"code": "post-be"}, "indicator": {"id": indicator}}
    none = {"organisation": {"code": "post-nl"}, "indicator": None}
    found = {"results": [{"lookup": "l-2", "hits": [none, hit]}]}
    file = police.file("hits.json", json.dumps(found))
    options = ("--indicator", indicator, "--hits", file, "--case", "PV-7")
    police.well("request", *options)
    assert platform.sent_to("/api/v1/disclosures")[0]["lookup"] == "l-2"
    other = police.run("request", *options[2:], "--indicator", "x")
    assert "has no hit on that indicator" in other.stderr
    odd = police.run("request", *options, "--hits", police.file("odd", "[1]"))
    assert "is not what" in odd.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("request", "--indicator", "i", "--case", "C"), "--lookup or --owner is missing"),
        (("request", "--indicator", "i", *ASK, "--urgency", "life"), "--text is missing"),
        (("request", "--indicator", "i", *ASK, "--ask", "all"), "value, note, attachment"),
        (("requests", "answer", "r"), "--text is missing"),
        (("requests", "ask-back", "r", "--text", "a", "--text-file", "-"), "Give one"),
        (("decide", "r"), "Give one of --release"),
        (("decide", "r", "--release", "all"), "--reason is missing"),
        (("decide", "r", "--release", "all,note", "--reason", "necessary"), "--release is all"),
        (("decide", "r", "--confirm", "a", "--reject", "b"), "Give one of"),
    ],
)
def test_a_wrong_command_line_sends_nothing(
    police: Premises, platform: LoopbackExchange, arguments: tuple[str, ...], words: str
) -> None:
    platform.calls.clear()
    result = police.run(*arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert not platform.calls


def test_nothing_is_sealed_to_an_organisation_that_is_not_pinned(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    (post.home / "config.organisations.json").unlink()
    result = post.run("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    assert result.exit_code == 1
    assert "No keys of police-de are pinned" in result.stderr
    assert not platform.requests[request].decisions
    assert not platform.alarms


def test_swapped_keys_of_the_requester_stop_the_release_and_are_reported(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    swapped = premises.fresh_keys("police-de")
    platform.directory["police-de"] = premises.published(swapped)
    result = post.run("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    assert result.exit_code == 1
    assert "STOP. THE KEYS OF POLICE-DE WERE SWAPPED" in result.stderr
    assert not platform.requests[request].decisions
    ((code, alarm),) = platform.alarms
    assert code == "police-de"
    assert alarm == {
        "number": 1,
        "pinned": police.keys.entry.fingerprint,
        "offered": swapped.entry.fingerprint,
    }


def test_rotated_keys_of_the_requester_are_followed(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    rotated_keys = rotated(police.keys, datetime.now(UTC))
    platform.directory["police-de"] = premises.published(rotated_keys)
    post.well("decide", request, "--release", "value", "--reason", "necessary", "--yes")
    _replace_key_file(police, rotated_keys)
    assert "Jan de Vries" in police.well("receive", request)


@pytest.mark.parametrize("field", ["indicator", "urgency", "asked", "action"])
def test_a_request_that_the_platform_changed_is_not_decided(
    post: Premises, police: Premises, platform: LoopbackExchange, field: str
) -> None:
    report = submitted(post, platform)
    request = asked(police, platform, report, "--ask", "value")
    changed = {
        "indicator": platform.indicator_of(report, 1),
        "urgency": "life",
        "asked": ["value", "note"],
        "action": "locate",
    }
    platform.shows = lambda wire: {**wire, field: changed[field]}
    for command in (
        ("requests", "show", request),
        ("decide", request, "--release", "all", "--reason", "necessary", "--yes"),
    ):
        result = post.run(*command)
        assert result.exit_code == 4, result.output
        assert f"shows another {field} than the requester signed" in result.stderr
    assert not platform.requests[request].decisions


def test_an_ask_that_the_platform_withholds_is_not_taken_on_its_word(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    platform.shows = lambda wire: {**wire, "messages": []}
    decide = ("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    result = post.run(*decide)
    assert result.exit_code == 1
    assert "it is the platform's word alone" in result.stderr
    assert not platform.requests[request].decisions
    post.well(*decide, "--unsigned-ask")


def test_an_envelope_of_another_record_is_not_released(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    report = submitted(post, platform)
    request = asked(police, platform, report, "--ask", "value")
    decide = ("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    held = platform._held(report)
    other = next(each for each in held if each.wire["kind"] == "phone")
    platform.gives = lambda _: other.content
    result = post.run(*decide)
    assert "is not what it announced" in result.stderr
    place = next(each for each in held if each.wire["part"] == "value")
    place.wire["digest"] = other.wire["digest"]
    result = post.run(*decide)
    assert result.exit_code == 1
    assert "sealed for another record" in result.stderr
    assert not platform.requests[request].decisions


def _released(post: Premises, police: Premises, platform: LoopbackExchange) -> str:
    request = asked(police, platform, submitted(post, platform), "--ask", "value")
    post.well("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    return request


def test_a_delivery_of_another_request_does_not_open(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    first = _released(post, police, platform)
    (report,) = platform.taken
    second = asked(police, platform, report, "--ask", "value")
    post.well("decide", second, "--release", "all", "--reason", "necessary", "--yes")
    moved, place = platform.requests[first], platform.requests[second]
    place.wire["deliveries"], place.deliveries = moved.wire["deliveries"], moved.deliveries
    result = police.run("receive", second)
    assert result.exit_code == 1
    assert "sealed for another record or another use" in result.stderr
    assert not place.receipts


def test_a_delivery_that_the_owner_did_not_sign_does_not_open(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = _released(post, police, platform)
    stranger = premises.fresh_keys("post-be")
    (wire,) = platform.requests[request].wire["deliveries"]
    forged = Sealer("post-be", police.keys.entry.recipients, stranger.identity)
    raw = forged.value(Kind.PARTY, 1, to_bytes(wire["token"]), wire["record"], {"name": "x"})
    platform.gives = lambda _: raw
    wire["digest"] = to_text(_sha256(raw))
    result = police.run("receive", request)
    assert result.exit_code == 1
    assert "none of its sealer's known keys" in result.stderr
    assert not platform.requests[request].receipts


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        ({"name": "Piet Smit", "street": "Meir 5", "postcode": "2000"}, "differs"),
        ({"name": "x"}, "differs"),
        (None, "not_checked"),
    ],
)
def test_a_poisoned_record_is_told_loudly_and_one_of_a_gone_epoch_is_not_accused(
    post: Premises,
    police: Premises,
    platform: LoopbackExchange,
    fields: dict[str, str] | None,
    check: str,
) -> None:
    epoch, code = (1, 4) if fields else (2, 0)
    report = submitted(post, platform)
    held = platform._held(report)
    place = next(at for at, each in enumerate(held) if each.wire["part"] == "value")
    if fields:  # the owner's submitter sealed another value than the one it pseudonymised
        held[place] = _poisoned(held[place], Value(Kind.PARTY, fields), post.keys)
    request = asked(police, platform, report, "--ask", "value")
    post.well("decide", request, "--release", "all", "--reason", "necessary", "--yes")
    platform.epochs = dict.fromkeys(platform.epochs, epoch)
    platform.published = dict(platform.epochs)
    result = police.run("receive", request)
    assert result.exit_code == code, result.output
    assert ("STOP. THE DISCLOSED VALUE IS NOT THE ONE" in result.stderr) == (code == 4)
    assert [each["check"] for each in platform.requests[request].receipts] == [check]


def _poisoned(stored: Stored, value: Value, keys: OrganisationKeys) -> Stored:
    wire = stored.wire
    token = to_bytes(wire["token"])
    context = context_of_value("post-be", value.kind, wire["epoch"], token, wire["record"])
    raw = Sealer.of(keys).value(
        value.kind, context.epoch, context.token, context.record, value.fields
    )
    return Stored({**wire, "size": len(raw), "digest": to_text(_sha256(raw))}, raw)


def test_a_message_in_anothers_place_is_refused(
    post: Premises, police: Premises, platform: LoopbackExchange
) -> None:
    request = asked(police, platform, submitted(post, platform))
    post.well("requests", "ask-back", request, "--text", "Why?")
    real = platform.requests[request].wire["messages"]
    for place, changes in ((0, {"organisation": "post-be"}), (1, {"record": "ask/x"}),
                           (1, {"record": "other/x"}), (0, {"kind": "reason"})):  # fmt: skip
        told = [dict(each) for each in real]
        told[place] |= changes
        platform.shows = lambda wire, told=told: {**wire, "messages": told}  # type: ignore[misc]
        result = police.run("requests", "show", request)
        assert result.exit_code == 1
        assert "that this request cannot have" in result.stderr
