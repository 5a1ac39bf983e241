"""The page of the members' keys: what to read out, what to clear up, whom to telephone."""

from html import unescape

from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from app.organisations.models import (
    KeyAlarm,
    Organisation,
    OrganisationKey,
    OrganisationStatus,
)
from app.organisations.schemas import ContactSchema
from app.web.key_sentences import CONTACT_REFUSALS
from postern.vocabulary import Role, Scope
from tests.app.exchange import Exchange
from tests.app.people import Person, bearer, cross_site_headers, make_person, sign_in
from tests.app.sealing import member_keys, publish

OTHER = "-".join(["ABCD"] * 8)


def shown(client: FlaskClient) -> str:
    answer = client.get("/keys")
    assert answer.status_code == 200
    return unescape(" ".join(answer.get_data(as_text=True).split()))


def person(exchange: Exchange, code: str, *roles: Role) -> Person:
    return make_person(exchange.app, code, roles)


def grouped(fingerprint: str) -> str:
    """As the page shows it: each group by itself."""
    return " ".join(f"<span>{group}</span>" for group in fingerprint.split("-"))


def report_swap(exchange: Exchange, client: FlaskClient) -> None:
    headers = bearer(exchange.app, person(exchange, "police-de", Role.ANALYST), [Scope.EVALUATE])
    said = {"number": 1, "pinned": OTHER, "offered": OTHER.replace("A", "Z")}
    address = "/api/v1/organisations/post-be/keys/alarm"
    assert client.post(address, json=said, headers=headers).status_code == 201


def test_who_published_nothing_is_told_which_commands_to_run(
    exchange: Exchange, client: FlaskClient
) -> None:
    sign_in(client, person(exchange, "post-be"))
    page = shown(client)
    assert "Your organisation has not published its keys" in page
    for command in ("postern keys new post-be", "postern keys publish keys.json"):
        assert command in page
    assert page.count("no keys published") == 2
    assert "An administrator of your organisation enters it" in page


def test_fingerprints_are_shown_in_groups_with_what_was_before(
    exchange: Exchange, client: FlaskClient
) -> None:
    held = publish(exchange, member_keys("post-be", rotations=2))
    theirs = publish(exchange, member_keys("police-de"))
    sign_in(client, person(exchange, "post-be"))
    page = shown(client)
    for each in (*(one.signed.entry for one in held.generations), theirs.entry):
        assert page.count(grouped(each.fingerprint)) == 1
    assert "2 earlier entries" in page
    assert "Your organisation has not published its keys" not in page
    # Whoever has the database cannot make the page fail, nor look right.
    with exchange.database.transaction() as session:
        session.execute(
            update(OrganisationKey)
            .where(OrganisationKey.organisation_id == exchange.organisation_id("police-de"))
            .values(signed={"entry": {}})
        )
    assert "damaged: what is stored cannot be read" in shown(client)


def test_an_alarm_is_shown_to_both_and_closed_by_who_raised_it(
    exchange: Exchange, client: FlaskClient
) -> None:
    publish(exchange, member_keys("post-be"))
    report_swap(exchange, exchange.app.test_client())
    (alarm,) = exchange.rows(select(KeyAlarm))
    address = f"/keys/alarms/{alarm.public_id}/close"

    def as_one(code: str, *roles: Role) -> FlaskClient:
        other = exchange.app.test_client()
        sign_in(other, person(exchange, code, *roles))
        return other

    about = as_one("post-be", Role.COMPLIANCE)
    assert "Other keys of Organisation post-be were offered" in shown(about)
    assert address not in shown(about)
    assert about.post(address, headers=cross_site_headers(about)).status_code == 404
    bystander = as_one("customs-nl", Role.COMPLIANCE)
    assert "Other keys of" not in shown(bystander)
    assert "1 open alarm" in shown(bystander)
    colleague = as_one("police-de", Role.ANALYST)
    assert address not in shown(colleague)
    assert colleague.post(address, headers=cross_site_headers(colleague)).status_code == 403

    officer = as_one("police-de", Role.COMPLIANCE)
    assert address in shown(officer)
    for _ in range(2):  # again changes nothing
        assert officer.post(address, headers=cross_site_headers(officer)).status_code == 303
    page = shown(officer)
    assert "Closed alarms" in page
    assert "Other keys of" not in page
    entries = exchange.entries("key.close-alarm")
    assert [entry.audience for entry in entries if "refusal" not in entry.details] == [
        ["police-de", "post-be"]
    ] * 2
    (row,) = exchange.rows(select(KeyAlarm))
    assert row.closed_by is not None


def test_an_administrator_enters_the_desk_and_is_told_what_is_wrong(
    exchange: Exchange, client: FlaskClient
) -> None:
    headers = sign_in(client, person(exchange, "post-be", Role.ADMINISTRATOR))
    typed = {"desk": "Parcel security", "mail": "no mailbox", "phone": "", "hours": "always"}
    wrong = client.post("/keys/contact", data=typed, headers=headers)
    assert wrong.status_code == 422
    page = wrong.get_data(as_text=True)
    assert "Write a mail address, or leave it out." in page
    assert 'value="no mailbox"' in page
    right = {**typed, "mail": "security@post.example"}
    done = client.post("/keys/contact", data=right, headers=headers)
    assert (done.status_code, done.headers["Location"]) == (303, "/keys?done=contact")
    sign_in(client, person(exchange, "police-de"))
    page = shown(client)
    assert "mailto:security@post.example" in page
    assert "Parcel security" in page


def test_what_the_form_says_is_among_the_sentences_that_are_translated() -> None:
    known = {str(each) for each in CONTACT_REFUSALS}
    said = set()
    for typed in (
        {"desk": "Duty desk", "mail": "", "phone": ""},
        {"desk": "d" * 121, "mail": "no mailbox", "phone": "call me", "hours": "h" * 121},
    ):
        said |= {text for texts in ContactSchema().validate(typed).values() for text in texts}
    assert said == known


def test_a_platform_with_one_member_has_no_list_of_others(
    exchange: Exchange, client: FlaskClient
) -> None:
    with exchange.database.transaction() as session:
        session.execute(
            update(Organisation)
            .where(Organisation.code != "post-be")
            .values(status=OrganisationStatus.SUSPENDED)
        )
        session.execute(delete(OrganisationKey))
    sign_in(client, person(exchange, "post-be"))
    assert "Yours is the only organisation yet" in shown(client)
