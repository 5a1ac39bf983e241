from collections.abc import Iterator

import pytest
from flask import Flask

from app.audit.catalogue import CATALOGUE
from app.web.act_names import ACT_NAMES, act_meaning, act_name
from app.web.languages import LANGUAGES
from app.web.sentences import sentence

NAMES = {"police-de": "Police of Example", "post-be": "Post of Example"}
PERSON = "3f2a77aa-0000-4000-8000-000000000001"


@pytest.fixture(params=["sqlite"])
def database_url(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    """Sentences need no database; one back end is enough."""
    path = tmp_path_factory.mktemp("sentences") / f"{request.param}.sqlite3"
    return f"sqlite:///{path}"


@pytest.fixture
def spoken(app: Flask) -> Iterator[Flask]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield app


def record(act: str, **fields: object) -> dict[str, object]:
    plain = {"act": act, "org": "police-de", "out": "ok", "purpose": "", "basis": "", "n": 1}
    return plain | fields


def test_every_act_has_a_name_and_a_sentence_in_every_language(app: Flask) -> None:
    assert ACT_NAMES.keys() == CATALOGUE.keys()
    for language in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": language}):
            for act in CATALOGUE:
                for count in (0, 1, 2):
                    told = sentence(record(act, n=count), {"actor": PERSON}, NAMES)
                    assert told
                    assert act not in told
                    assert "%(" not in told


@pytest.mark.usefixtures("spoken")
def test_a_lookup_tells_who_asked_what_for_which_purpose_and_case_and_what_came_of_it() -> None:
    asked = record("lookup.ask", n=4, purpose="criminal_investigation")
    details = {
        "actor": PERSON,
        "case": "PV-2026-17",
        "query": {"party": 3, "phone": 1},
        "hits": 1,
    }
    assert sentence(asked, details, NAMES) == (
        "Person 3f2a77aa of Police of Example looked up 4 identifiers (party 3, phone number 1); "
        "purpose: criminal investigation; case PV-2026-17; 1 hit"
    )


@pytest.mark.usefixtures("spoken")
def test_a_lookup_without_a_hit_says_so() -> None:
    asked = record("lookup.ask", purpose="risk_analysis")
    told = sentence(asked, {"actor": PERSON, "hits": 0}, NAMES)
    assert told == (
        "Person 3f2a77aa of Police of Example looked up 1 identifier; "
        "purpose: risk analysis; 0 hits"
    )


@pytest.mark.usefixtures("spoken")
def test_what_was_erased_is_left_out() -> None:
    asked = record("lookup.ask", n=2, purpose="risk_analysis")
    assert sentence(asked, {}, NAMES) == (
        "A person of Police of Example looked up 2 identifiers; purpose: risk analysis"
    )


@pytest.mark.usefixtures("spoken")
def test_a_match_names_the_organisation_that_asked_and_no_person() -> None:
    matched = record("indicator.match", n=2, purpose="customs_control")
    told = sentence(matched, {"viewer": "police-de", "level": "metadata"}, NAMES)
    assert told == (
        "A lookup by Police of Example matched 2 of your indicators (level: metadata); "
        "purpose: customs control"
    )


@pytest.mark.usefixtures("spoken")
def test_a_denial_and_a_failure_are_told_with_their_reason() -> None:
    denied = record("audit.read", out="denied")
    failed = record("report.submit", out="error")
    details = {"actor": PERSON, "refusal": "not-allowed"}
    who = "Person 3f2a77aa of Police of Example"
    assert sentence(denied, details, NAMES) == f"{who} was denied: Access log read (not-allowed)"
    assert sentence(failed, {"actor": PERSON}, NAMES) == f"{who} failed: Reports submitted"


@pytest.mark.usefixtures("spoken")
def test_a_refused_sign_in_is_told_of_nobody() -> None:
    refused = record("session.refuse", org="platform", out="denied")
    details = {"actor": "session", "refusal": "locked"}
    assert sentence(refused, details, NAMES) == (
        "A sign-in was refused (locked after too many attempts)"
    )


@pytest.mark.usefixtures("spoken")
def test_the_console_is_not_a_person() -> None:
    published = record("policy.publish", org="platform")
    details = {"actor": "console", "objects": ["post-be/7"]}
    assert sentence(published, details, NAMES) == (
        "The platform's administration put version 7 of the sharing policy in force"
    )


@pytest.mark.usefixtures("spoken")
def test_a_version_that_waits_is_told_with_its_time_and_a_stop_as_a_stop() -> None:
    published = record("policy.publish", t=1_800_000_000_000)
    details = {"actor": PERSON, "objects": ["police-de/4"], "cause": "draft"}
    who = "Person 3f2a77aa of Police of Example"
    later = details | {"valid_from": "2027-02-01T09:00:00+00:00"}
    assert sentence(published, later, NAMES) == (
        f"{who} made version 4 of the sharing policy, in force from 1 Feb 2027, 09:00 UTC"
    )
    at_once = details | {"valid_from": "2027-01-15T08:00:00+00:00"}
    assert sentence(published, at_once, NAMES) == (
        f"{who} put version 4 of the sharing policy in force"
    )
    stopped = at_once | {"cause": "stop"}
    assert sentence(published, stopped, NAMES) == f"{who} stopped all sharing (version 4)"


@pytest.mark.usefixtures("spoken")
def test_each_step_of_a_draft_has_its_own_words() -> None:
    told = {
        step: sentence(record("policy.draft"), {"actor": PERSON, "step": step}, NAMES)
        for step in (
            *("create", "edit", "propose", "withdraw", "approve", "refuse", "discard", "expire"),
            "unheard-of",
        )
    }
    assert len(set(told.values())) == len(told)
    assert told["approve"].endswith("approved a draft of the sharing policy")
    assert "nobody decided in time" in told["expire"]


@pytest.mark.usefixtures("spoken")
def test_an_alert_says_that_the_reader_was_not_told() -> None:
    alerted = record("indicator.alert", n=1, purpose="criminal_investigation")
    assert sentence(alerted, {"viewer": "police-de"}, NAMES) == (
        "A lookup by Police of Example matched 1 of your indicators and was not told of it; "
        "purpose: criminal investigation"
    )


@pytest.mark.usefixtures("spoken")
def test_an_explanation_is_told_by_what_was_explained() -> None:
    details = {"actor": PERSON}
    of_lookup = sentence(record("policy.explain", obj="lookup"), details, NAMES)
    of_indicator = sentence(record("policy.explain", obj="indicator"), details, NAMES)
    of_nothing = sentence(record("policy.explain", obj="indicator", n=0), details, NAMES)
    assert of_lookup.endswith("read why hits were shown")
    assert of_indicator.endswith("read who can see an indicator")
    assert of_nothing.endswith("opened the page on who can see an indicator")


@pytest.mark.usefixtures("spoken")
def test_a_submission_tells_its_counts() -> None:
    submitted = record("report.submit", n=1200)
    counts = {"created": 1200, "existing": 3, "rejected": 1}
    told = sentence(submitted, {"actor": PERSON, "counts": counts}, NAMES)
    assert told.endswith("submitted reports: 1,200 created, 3 known already, 1 rejected")


@pytest.mark.usefixtures("spoken")
def test_an_unknown_act_stands_for_itself() -> None:
    assert sentence(record("barrier.burn"), {"actor": PERSON}, NAMES).endswith("barrier.burn")
    assert act_name("barrier.burn") == "barrier.burn"
    assert act_meaning("barrier.burn") == ""


def test_french_puts_its_own_space_and_plural(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        told = sentence(record("lookup.ask", n=0), {"actor": PERSON, "hits": 0}, NAMES)
    assert told == (
        "Personne 3f2a77aa (Police of Example) a recherché 0 identifiant\u00a0; 0 concordance"
    )


@pytest.mark.usefixtures("spoken")
def test_opening_the_form_of_reports_is_not_told_as_reading_them() -> None:
    listed = sentence(record("report.list", n=3), {"actor": PERSON}, NAMES)
    assert listed == "Person 3f2a77aa of Police of Example listed 3 reports"
    opened = sentence(record("report.list", n=0), {"actor": PERSON, "box": "new"}, NAMES)
    assert opened == "Person 3f2a77aa of Police of Example opened the form to report shipments"


@pytest.mark.usefixtures("spoken")
def test_ending_the_sessions_of_another_is_no_sign_out() -> None:
    ended = record("session.end", n=1)
    assert sentence(ended, {"actor": PERSON}, NAMES).endswith("signed out")
    told = sentence(ended, {"actor": PERSON, "objects": ["1"]}, NAMES)
    assert told.endswith("ended 1 session of another person")


@pytest.mark.usefixtures("spoken")
def test_changes_of_an_account_are_told_with_their_roles() -> None:
    changed = {"actor": PERSON, "granted": ["analyst"], "withdrawn": ["submitter"]}
    assert sentence(record("account.role"), changed, NAMES).endswith(
        "changed the roles of a person (granted: Analyst; withdrawn: Submitter)"
    )
    for step, words in (("confirmed", "confirmed a"), ("lapsed", "nobody decided in time")):
        decided = {"actor": PERSON, "roles": ["compliance"], "step": step}
        told = sentence(record("account.decide"), decided, NAMES)
        assert words in told
        assert told.endswith("(Compliance officer)")
    states = {"active", "closed", "disabled", "unlocked", "unheard-of"}
    told_states = {
        sentence(record("account.status"), {"actor": PERSON, "status": state}, NAMES)
        for state in states
    }
    assert len(told_states) == len(states)
