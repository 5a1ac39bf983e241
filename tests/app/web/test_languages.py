import inspect
import re
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

import app.errors
from app.accounts import passwords, tokens
from app.audit.catalogue import CATALOGUE
from app.errors import PosternError
from app.web.languages import COOKIE, LANGUAGES, WORDS, words
from postern import vocabulary
from postern.vocabulary import Purpose
from tests.app.exchange import Exchange
from tests.app.people import cross_site_headers, make_organisation, make_person, runtime_of, sign_in

APP = Path(app.errors.__file__).parent
TRANSLATED = [code for code in LANGUAGES if code != "en"]
CODES = {"SourceGrade", "InformationGrade", "Tlp", "Handling", "WeightBand", "ValueBand"}
"""Lists whose values are codes or numbers, the same in every language."""

HEADING = {
    "en": "A small guarded gate in a wall",
    "fr": "Une petite porte gardée dans un mur",
    "nl": "Een kleine bewaakte poort in een muur",
    "de": "Eine kleine bewachte Pforte in der Mauer",
}


def catalogue(code: str) -> Catalog:
    with (APP / "web" / "translations" / code / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=code)


def messages() -> set[Any]:
    """Everything that the sources ask to be translated; plural forms as tuples."""
    with (APP / "web" / "translations" / "babel.cfg").open() as file:
        method_map, options_map = parse_mapping_cfg(file)
    keywords = DEFAULT_KEYWORDS | {"KnownAct": (2,)}
    return {
        found[2]
        for found in extract_from_dir(APP, method_map, options_map, keywords=keywords)
        if found[2]
    }


def choose(client: FlaskClient, language: str, following: str = "/sign-in") -> Any:
    form = {"language": language, "next": following}
    return client.post("/language", data=form, headers=cross_site_headers(client))


def lang_of(client: FlaskClient, address: str = "/sign-in", **headers: str) -> str:
    page = client.get(address, headers=headers).get_data(as_text=True)
    found = re.search(r'<html lang="(\w+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_is_complete_and_nothing_in_it_is_a_guess(code: str) -> None:
    entries = {entry.id: entry for entry in catalogue(code) if entry.id}
    assert messages() - entries.keys() == set()
    assert entries.keys() - messages() == set()
    for entry in entries.values():
        assert not entry.fuzzy, entry.id
        told = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        assert all(told), entry.id


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_names_what_the_sentence_names(code: str) -> None:
    for entry in catalogue(code):
        if not entry.id:
            continue
        known = entry.id[-1] if isinstance(entry.id, tuple) else entry.id
        told = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        for sentence in told:
            assert set(re.findall(r"%\(\w+\)s", sentence)) == set(re.findall(r"%\(\w+\)s", known))


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_the_text(code: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    path = APP / "web" / "translations" / code / "LC_MESSAGES" / "messages.mo"
    with path.open("rb") as file:
        stored = [(entry.id, entry.string) for entry in read_mo(file) if entry.id]
    assert stored == [(entry.id, entry.string) for entry in read_mo(compiled) if entry.id]


def test_every_value_of_every_list_has_words_or_is_a_code() -> None:
    lists = {
        name: kind
        for name, kind in inspect.getmembers(vocabulary, inspect.isclass)
        if issubclass(kind, StrEnum) and kind is not StrEnum
    }
    assert lists.keys() - WORDS.keys() == CODES
    for name in lists.keys() - CODES:
        assert WORDS[name].keys() == {member.value for member in lists[name]}


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_errors_and_acts_say_is_translated(code: str) -> None:
    said = {known.meaning for known in CATALOGUE.values()}
    for module in (app.errors, tokens, passwords):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, PosternError) and kind.__module__ == module.__name__:
                said |= {kind.title, kind.remedy}
    assert said - {entry.id for entry in catalogue(code)} == set()


def test_words_are_spoken_in_the_language_of_the_request(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "fr"}):
        assert words(Purpose.CRIMINAL_INVESTIGATION) == "enquête pénale"
        assert words("criminal_investigation", "Purpose") == "enquête pénale"
        assert words("H1", "Handling") == "H1"


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_page_is_whole_in_each_language(client: FlaskClient, code: str) -> None:
    page = client.get("/sign-in", headers={"Accept-Language": code}).get_data(as_text=True)
    assert HEADING[code] in page
    for other in LANGUAGES:
        assert (HEADING[other] in page) == (other == code)


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("fr-BE,fr;q=0.9,en;q=0.5", "fr"), ("nl-BE", "nl"), ("de-AT,de", "de"), ("el,pl", "en")],
)
def test_the_browser_decides_until_somebody_chose(
    client: FlaskClient, asked: str, spoken: str
) -> None:
    assert lang_of(client, **{"Accept-Language": asked}) == spoken


def test_a_browser_remembers_the_choice_made_before_sign_in(client: FlaskClient) -> None:
    answer = choose(client, "nl")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.value == "nl"
    assert cookie.http_only
    assert lang_of(client, **{"Accept-Language": "fr"}) == "nl"


def test_a_person_is_spoken_to_in_their_language_in_every_browser(exchange: Exchange) -> None:
    person = exchange.people["post-be"]
    here, elsewhere = exchange.app.test_client(), exchange.app.test_client()
    sign_in(here, person)
    assert choose(here, "de", "/account").location == "/account"
    assert here.get_cookie(COOKIE) is None
    sign_in(elsewhere, person)
    assert lang_of(elsewhere, "/account", **{"Accept-Language": "fr"}) == "de"
    (entry,) = exchange.entries("account.language")
    assert entry.details["language"] == "de"
    assert entry.details["actor"] == str(person.caller.person)


def test_a_language_that_is_not_spoken_changes_nothing(client: FlaskClient) -> None:
    assert choose(client, "xx").status_code == 422
    assert client.get_cookie(COOKIE) is None


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/\\evil", ""])
def test_the_choice_leads_to_no_other_site(client: FlaskClient, wanted: str) -> None:
    assert choose(client, "fr", wanted).location == "/"


def test_a_choice_without_the_form_token_is_refused(client: FlaskClient) -> None:
    answer = client.post("/language", data={"language": "fr"})
    assert answer.status_code == 400
    assert client.get_cookie(COOKIE) is None


def test_an_error_page_speaks_the_language_too(client: FlaskClient) -> None:
    page = client.get("/nowhere", headers={"Accept-Language": "de", "Accept": "text/html"})
    assert page.status_code == 404
    assert "Hier gibt es nichts für Sie" in page.get_data(as_text=True)


def test_a_new_account_leaves_the_language_to_the_browser(app: Flask, client: FlaskClient) -> None:
    make_organisation(runtime_of(app).database, "post-be")
    sign_in(client, make_person(app, "post-be"))
    assert lang_of(client, "/account", **{"Accept-Language": "nl"}) == "nl"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_words_of_a_constant_are_said_in_the_language_of_each_reader(app: Flask) -> None:
    template = app.jinja_env.from_string('{{ "police" | words("Sector") }}')
    said = []
    for code in ("fr", "nl"):
        with app.test_request_context(headers={"Accept-Language": code}):
            said.append(template.render())
    assert len(set(said)) == 2
