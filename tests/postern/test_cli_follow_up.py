"""`postern recalls`, `outcomes`, `watch`, `watches`, `subject`: what is sent, how it is told."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.postern.conftest import Desk
from tests.postern.loopback_exchange import POLICE, LoopbackExchange
from tests.postern.loopback_platform import ORGANISATION, Reply, now, serving, to_bytes

RECALLS, OUTCOMES = "/api/v1/recalls/received", "/api/v1/outcomes"
WATCHES, SEARCH = "/api/v1/watches", "/api/v1/subject-requests/s-1/search"
WHY = ("--purpose", "criminal_investigation", "--case", "C-1", "--legal-basis", "police_law")
UNTIL = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
ESCAPE = "\x1b[2J"


@pytest.fixture
def platform() -> Iterator[LoopbackExchange]:
    with serving(LoopbackExchange()) as running:
        assert isinstance(running, LoopbackExchange)
        yield running


def recall(identifier: str, state: str, due: timedelta, **more: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "owner": POLICE,
        "indicator": "i-1",
        "ways": ["lookup", "disclosure"],
        "changed": [],
        "kind": "withdrawal",
        "reason": "wrong_identity",
        "state": state,
        "made_at": now().isoformat(),
        "due_at": (now() + due).isoformat(),
        **more,
    }


def outcome(**more: Any) -> dict[str, Any]:
    told = {"id": "o-1", "indicator": "i-1", "result": "found", "made_at": now().isoformat()}
    steps = dict.fromkeys(("asked", "located", "held", "examined"), "yes")
    return {**told, **steps, "organisation": POLICE, **more}


def watch(identifier: str, **more: Any) -> dict[str, Any]:
    told = {"id": identifier, "kind": "phone", "expires_on": UNTIL, "end": None}
    return {**told, "is_current": True, "has_news": False, **more}


def test_recalls_to_do_come_first_by_their_deadline(desk: Desk, platform: LoopbackExchange) -> None:
    corrected = {"kind": "correction", "changed": ["tlp"], "reason": f"other{ESCAPE}"}
    platform.lists[RECALLS] = {
        "recalls": [
            recall("later", "open", timedelta(days=3), **corrected),
            recall("late", "acknowledged", -timedelta(days=1)),
            recall("over", "completed", timedelta(days=1)),
        ],
        "next": None,
    }
    shown = desk.run("recalls").stdout
    assert shown.index("late ") < shown.index("later")
    assert "over" not in shown
    for told in ("OVERDUE", "lookup, disclosure", "correction of tlp", "2 recalls to do."):
        assert told in shown
    assert ESCAPE not in shown
    assert "over" in desk.run("recalls", "--all").stdout
    assert [each["id"] for each in json.loads(desk.run("recalls", "--json").stdout)] == [
        "late",
        "later",
    ]


def test_a_recall_is_acknowledged_and_completed(desk: Desk, platform: LoopbackExchange) -> None:
    platform.lists[f"{RECALLS}/r-1"] = recall("r-1", "completed", timedelta(days=1))
    assert desk.run("recalls", "acknowledge", "r-1").exit_code == 0
    assert desk.run("recalls", "done", "r-1", "--as", "kept_by_law").exit_code == 0
    assert [body for _, _, body in platform.told] == [
        {"state": "acknowledged"},
        {"state": "completed", "done": "kept_by_law"},
    ]
    assert desk.run("recalls", "done", "r-1").exit_code == 2
    assert desk.run("recalls", "done", "none", "--as", "erased").exit_code == 1


def test_an_outcome_is_told_step_by_step(desk: Desk, platform: LoopbackExchange) -> None:
    platform.lists[OUTCOMES] = outcome()
    options = ("--located", "yes", "--held", "no", "--result", "found", "--case", "C-1")
    amount = ("--substance", "mdma", "--quantity", "0120.50", "--unit", "g")
    result = desk.run("outcomes", "tell", "i-1", *options, *amount)
    assert result.exit_code == 0, result.output
    assert platform.sent_to(OUTCOMES) == [
        {
            "indicator": "i-1",
            "case": "C-1",
            "result": "found",
            "asked": "unknown",
            "located": "yes",
            "held": "no",
            "examined": "unknown",
            "substance": "mdma",
            "quantity": "120.50",
            "unit": "g",
        }
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--result", "found", "--quantity", "1"), "--unit go together"),
        (("--result", "found", "--quantity", "1.0001", "--unit", "g"), "three decimals"),
        (("--result", "found", "--quantity", "0", "--unit", "g"), "above zero"),
        (("--result", "found", "--quantity", "NaN", "--unit", "g"), "above zero"),
        (("--result", "found", "--quantity", "1,5", "--unit", "g"), "not a number"),
        (("--result", "won"), "not one of"),
        ((), "--result"),
    ],
)
def test_a_wrong_outcome_is_not_sent(
    desk: Desk, platform: LoopbackExchange, options: tuple[str, ...], words: str
) -> None:
    result = desk.run("outcomes", "tell", "i-1", "--case", "C-1", *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not platform.sent_to(OUTCOMES)


def test_outcomes_are_listed_with_what_was_replaced(desk: Desk, platform: LoopbackExchange) -> None:
    found = outcome(substance="mdma", quantity="120.500", unit="g")
    later = outcome(id="o-2", result="error", replaced_at=now().isoformat())
    platform.lists[OUTCOMES] = {"outcomes": [found, later], "next": None}
    platform.lists[f"{OUTCOMES}/told"] = {"outcomes": [], "next": None}
    shown = desk.run("outcomes", "--indicator", "i-1").stdout
    for told in ("mdma 120.500 g", "error (told otherwise since)", "police-de", "2 outcomes."):
        assert told in shown
    assert ("indicator", "i-1") in platform.asked[0][1].items()
    assert "0 outcomes." in desk.run("outcomes", "--told").stdout
    assert desk.run("outcomes", "--told", "--indicator", "i-1").exit_code == 2


def test_no_more_pages_are_read_than_are_asked_for(desk: Desk, platform: LoopbackExchange) -> None:
    page = {"outcomes": [outcome()] * 3, "next": "c-1"}
    platform.lists[OUTCOMES] = page
    assert "6 outcomes." in desk.run("outcomes", "--most", "5").stdout
    assert platform.asked[-1][1] == {"cursor": "c-1"}


def test_each_value_becomes_a_watch_of_its_own(desk: Desk, platform: LoopbackExchange) -> None:
    platform.lists[WATCHES] = {"id": "w-1"}
    values = ("--phone", "+3221234567", "--email", "a@mail.example", "--phone", "12")
    result = desk.run("watch", *values, *WHY, "--until", UNTIL, "--tell", "owner_only", "--json")
    assert result.exit_code == 3, result.output
    assert len(json.loads(result.stdout)["watches"]) == 2
    first, second = platform.sent_to(WATCHES)
    assert (first["kind"], second["kind"]) == ("phone", "email")
    assert {name for name in first if name != "tokens"} == {
        *("purpose", "legal_basis", "case", "kind", "epoch"),
        *("tells", "deconflicts", "tlp", "expires_on"),
    }
    assert (first["tells"], first["tlp"], first["deconflicts"]) == ("owner_only", "AMBER", False)
    assert len(to_bytes(first["tokens"][0]["token"])) == 16
    assert "21234567" not in json.dumps(platform.bodies) + result.output


@pytest.mark.parametrize("until", ["2020-01-01", "soon", "31-01-2027"])
def test_a_watch_ends_on_a_day_to_come(desk: Desk, platform: LoopbackExchange, until: str) -> None:
    result = desk.run("watch", "--phone", "+3221234567", *WHY, "--until", until)
    assert result.exit_code == 2
    assert not platform.sent_to(WATCHES)


def test_watches_are_listed_with_who_else_watches(desk: Desk, platform: LoopbackExchange) -> None:
    platform.lists[WATCHES] = {
        "watches": [
            watch("w-1", has_news=True),
            watch("w-2", is_current=False),
            watch("w-3", end="expired"),
        ],
        "next": None,
    }
    contact = {"desk": f"Liaison{ESCAPE}", "mail": "", "phone": "112", "hours": "day and night"}
    others = [
        {"id": "d-1", "watch": "w-1", "organisation": POLICE, "contact": contact},
        {"id": "d-2", "watch": "w-2", "organisation": ORGANISATION, "contact": None},
    ]
    platform.lists["/api/v1/deconflictions"] = {"deconflictions": others}
    shown = desk.run("watches").stdout
    for told in (
        "has news",
        "waits in vain",
        "expired",
        "2 watches waiting.",
        "112, day and night",
    ):
        assert told in shown
    assert "no desk to talk to" in shown
    assert ESCAPE not in shown
    told = json.loads(desk.run("watches", "--json").stdout)
    assert [len(told[name]) for name in ("watches", "deconflictions")] == [3, 2]


def test_a_watch_is_shown_with_its_matches_and_stopped(
    desk: Desk, platform: LoopbackExchange
) -> None:
    match = {
        "organisation": POLICE,
        "level": "presence",
        "band": "strong",
        "matched_at": now().isoformat(),
        "indicator": None,
    }
    reading = {"watch": watch("w-1"), "matches": [match], "more": True}
    platform.lists[f"{WATCHES}/w-1"] = reading
    shown = desk.run("watches", "show", "w-1").stdout
    assert "1 match, and more than are shown." in shown
    assert "a lead, not a finding" in shown
    assert json.loads(desk.run("watches", "show", "w-1", "--json").stdout) == reading
    assert "stopped" in desk.run("watches", "stop", "w-1").stdout
    assert platform.told[-1][:2] == ("DELETE", f"{WATCHES}/w-1")


HOLDING = {
    "query": "0",
    "indicator": "i-1",
    "report": "p-1",
    "kind": "phone",
    "role": "sender",
    "status": "active",
    "expires_on": UNTIL,
    "restricted": True,
    "band": "strong",
    "recipients": [
        {"organisation": POLICE, "ways": ["lookup"], "level": 2, "first_at": "a", "last_at": "b"}
    ],
    "recalls": [{"kind": "withdrawal", "reason": "other", "made_at": "c", "completed_at": None}],
    "holds": [{"reason": "proceedings", "until": UNTIL}],
    "requests": [{"id": "q-1", "state": f"open{ESCAPE}"}],
}


def test_a_persons_records_are_told_ready_for_a_letter(
    desk: Desk, platform: LoopbackExchange
) -> None:
    found = {"request": "s-1", "searched_at": now().isoformat(), "holdings": [HOLDING]}
    platform.lists[SEARCH] = found
    report = desk.home / "answer.json"
    options = ("--phone", "+3221234567", "--purpose", "service_security")
    result = desk.run("subject", "s-1", *options, "--report", report)
    assert result.exit_code == 0, result.output
    for told in (
        "1 record of ours",
        "restricted: a legal hold keeps it",
        "given to Police of Example by lookup, first a, last b",
        "called back (withdrawal, other) on c, not yet done",
        "disclosure request q-1: open",
    ):
        assert told in result.stdout
    assert ESCAPE not in result.stdout
    assert json.loads(report.read_text())["holdings"] == [HOLDING]
    (asked,) = platform.sent_to("/api/v1/evaluate")
    assert asked["case"] == "subject-request s-1"
    assert "21234567" not in json.dumps(platform.bodies) + result.output + report.read_text()
    assert "Move it away" in desk.run("subject", "s-1", *options, "--report", report).stderr


def test_a_value_that_cannot_be_searched_is_told_and_the_others_are_searched(
    desk: Desk, platform: LoopbackExchange
) -> None:
    platform.lists[SEARCH] = {"request": "s-1", "searched_at": now().isoformat(), "holdings": []}
    options = ("--phone", "12", "--email", "a@mail.example", "--purpose", "service_security")
    result = desk.run("subject", "s-1", *options, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["values"] == {"0": "email"}
    many = desk.write("many.csv", "phone\n" + "\n".join(f"+3247{n:07}" for n in range(101)))
    result = desk.run("subject", "s-1", "--file", many, "--purpose", "service_security")
    assert result.exit_code == 1
    assert "More than 100 values" in result.stderr


@pytest.mark.parametrize(
    ("command", "scope"),
    [
        (("recalls",), "recalls:write"),
        (("outcomes",), "outcomes:write"),
        (("watches",), "watches:write"),
        (("subject", "s-1", "--phone", "+3221234567", "--purpose", "risk_analysis"), "subjects"),
    ],
)
def test_a_token_without_the_scope_is_told_which_one_it_lacks(
    desk: Desk, platform: LoopbackExchange, command: tuple[str, ...], scope: str
) -> None:
    platform.me["organisation"] = ORGANISATION
    limited = {**platform.me, "scopes": ["reports:write"]}
    platform.replies["/api/v1/me"] = [Reply(200, limited)]
    result = desk.run(*command)
    assert result.exit_code == 1
    assert scope in result.stderr
    assert not platform.evaluated
