"""The pages of the board: what they say of what is told, of what is not, and of nothing at all."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import unescape
from random import Random

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.barriers import closing, registering
from app.barriers.board_tables import MOST_ROWS
from app.barriers.methods.disclosure_control import Grain, closed_week, first_day
from app.barriers.methods.noise import KEY_BITS
from app.barriers.model import Cost
from app.barriers.model_upkeep import load_shipped
from app.barriers.registering import NewBarrier, Place
from app.clock import now
from postern.vocabulary import Concealment, LegalBasis, Role, Sector, Substance
from tests.app.barriers.stored_reports import CLASSES, Made, Named, store
from tests.app.exchange import Exchange, make_exchange
from tests.app.patterns.writing import act
from tests.app.people import make_organisation, make_person, sign_in

FEED = """
@id("open/all") @label("Everybody counts") permit (principal, action, resource);
"""
ORIGINS = {"NL": 22, "BE": 16, "DE": 18, "FR": 15, "ES": 13, "PL": 12, "CZ": 11}
"""Reports of each origin in four weeks."""

FALLING, NEIGHBOURS = "NL", ("BE", "DE", "FR")
_MINUS = "\N{MINUS SIGN}"
LABEL = "derived from public sources, not the official list"
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What the board tells is tested on both databases; most of these ask only how pages say it."""

PAGES = (
    "/barriers/board",
    "/barriers/board/steps/3",
    "/barriers/board/corridors",
    "/barriers/board/substances",
)


@pytest.fixture
def exchange(app: Flask) -> Exchange:
    made = make_exchange(app)
    make_organisation(made.database, "courier-nl", Sector.COURIER, "NL")
    made.people["courier-nl"] = make_person(app, "courier-nl", Role)
    return made


@pytest.fixture
def told(exchange: Exchange) -> Exchange:
    """A year of two operators, in whose middle a part of one country's reports moves to three."""
    load_model(exchange)
    for code in ("post-be", "courier-nl"):
        exchange.publish(code, FEED)
    reports = [each for owner in ("post-be", "courier-nl") for each in moving_year(owner)]
    owners = {code: (p.caller.member[0], p.person_id) for code, p in exchange.people.items()}
    with exchange.app.app_context(), exchange.database.transaction() as session:
        store(session, reports, now(), owners)
    set_barrier(exchange, 6, "joint-post-team", middle(), Place(FALLING))
    set_barrier(exchange, 4, "return-address-check", middle() + timedelta(days=14), Place())
    close(exchange)
    return exchange


def load_model(exchange: Exchange) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        load_shipped(session)


def set_barrier(exchange: Exchange, step: int, key: str, on: date, place: Place) -> None:
    new = NewBarrier(
        step=step,
        key=key,
        from_day=on,
        to_day=None,
        expires_on=None,
        cost=Cost.LOW,
        legal_basis=LegalBasis.PUBLIC_TASK,
        place=place,
    )
    act(exchange, registering.register, exchange.caller("post-be"), new)


def close(exchange: Exchange) -> None:
    with exchange.app.app_context(), exchange.database.transaction() as session:
        closing.close(session, now())


def periods() -> range:
    last = closing.last_period(closed_week(now().date()))
    return range(last + 1 - closing.PERIODS, last + 1)


def middle() -> date:
    return first_day(periods()[closing.PERIODS // 2] * Grain.FOUR_WEEKS)


def moving_year(owner: str) -> Iterator[Made]:
    drawn = Random(owner)  # noqa: S311 - made-up reports
    for place, period in enumerate(periods()):
        for origin, usual in ORIGINS.items():
            count = usual + place % 3
            if place >= closing.PERIODS // 2 and origin == FALLING:
                count //= 3
            elif place >= closing.PERIODS // 2 and origin in NEIGHBOURS:
                count += usual // 2
            for number in range(count):
                on = first_day(period * Grain.FOUR_WEEKS) + timedelta(days=number % 28)
                yield made(owner, (now().date() - on).days, number, origin, drawn)


def made(owner: str, age: int, number: int, origin: str, drawn: Random) -> Made:
    point = f"{1 + number // 2 % 12:02}" if number % 2 else "00"
    named = Named(CLASSES[0], age, 400, (origin, "example-post", point))
    return Made(
        owner=owner,
        step=3 + number % 3 if number % 10 else None,
        origin=origin,
        destination=("US", "AU")[number % 2],
        substance=(Substance.MDMA, Substance.COCAINE)[number % 2],
        concealment=Concealment.TOY,
        key=drawn.getrandbits(KEY_BITS),
        sent=age,
        is_withdrawn=False,
        indicators=(named,),
    )


class Visitor:
    """A person at the pages, in a language."""

    def __init__(self, exchange: Exchange, code: str, language: str = "en") -> None:
        self.client: FlaskClient = exchange.app.test_client()
        sign_in(self.client, exchange.people[code])
        self._language = language

    def get(self, address: str, status: int = 200) -> str:
        headers = {"Accept": "text/html", "Accept-Language": self._language}
        answer = self.client.get(address, headers=headers)
        page = answer.get_data(as_text=True)
        assert answer.status_code == status, page
        return page


def text_of(page: str, hook: str = "") -> str:
    """What a page says, or the part of it from an element with this hook to the next section."""
    content = page[page.index("<main") : page.index("</main>")]
    if hook:
        content = content[content.index(f'data-board="{hook}"') :]
        content = content[content.index(">") + 1 : (content + "</section>").index("</section>")]
    content = re.sub(r"<(svg|template|script)\b.*?</\1>", " ", content, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


def hooks(page: str, name: str) -> Sequence[str]:
    return re.findall(rf'data-{name}="([^"]*)"', page)


def test_the_board_says_what_was_found_with_intervals_and_what_is_missing(told: Exchange) -> None:
    page = Visitor(told, "police-de").get(f"/barriers/board?together={','.join(NEIGHBOURS)}")
    assert LABEL in text_of(page)
    assert hooks(page, "movement")[0] == "moved"
    short = text_of(page, "findings")
    assert "The largest risk is at step" in short
    fall, rise = rf"{_MINUS}\d+%", r"\+\d+%"
    assert re.search(
        rf"Moved: fewer from Netherlands {fall} \({fall} to {fall}\), and more from Belgium,"
        rf" Germany and France as one {rise} \({rise} to {rise}\)",
        short,
    )
    assert "What is not shown is not “no effect”." in short
    assert hooks(page, "effect") == ["fewer"]
    effects = text_of(page, "effects")
    assert f"Fewer reports where it was set than elsewhere: {_MINUS}" in effects
    assert "would have been expected if it had gone as elsewhere" in effects
    assert re.search(r"What else changed Another barrier began on .* \(everywhere; since", effects)
    gaps = text_of(page, "gaps")
    assert "No barrier is recorded at step 5, " in gaps
    assert "No barrier is recorded at step 6, " not in gaps
    assert "It does not say that there is none." in gaps
    assert re.search(r"4 from 16 reports in four weeks", text_of(page, "method"))


@on_one_database
def test_without_a_named_group_and_another_day_the_same_page_claims_less(told: Exchange) -> None:
    """A day on which nothing happened, and too near to the end to compare: nothing is claimed."""
    visitor = Visitor(told, "police-de")
    late = first_day(periods()[-1] * Grain.FOUR_WEEKS)
    page = visitor.get(f"/barriers/board?changed={late}")
    assert hooks(page, "movement")[0] == "none"
    assert "Too little is told to compare countries" in text_of(page, "findings")
    assert visitor.get("/barriers/board?changed=soon&together=neighbours").count("data-step=") == 7


@on_one_database
def test_below_the_board_stand_steps_corridors_points_and_substances(told: Exchange) -> None:
    visitor = Visitor(told, "police-de")
    step = visitor.get("/barriers/board/steps/3")
    assert text_of(step, "what").startswith("What was sent, how, and on which way Substances")
    assert "toy" in text_of(step, "what")
    assert "A gap." in text_of(step, "barriers")
    assert "No outcome was told" in text_of(step, "outcomes")
    assert "Organisation post-be" in text_of(visitor.get("/barriers/board/steps/6"), "barriers")
    corridors = visitor.get("/barriers/board/corridors")
    assert 'data-country="NL">Netherlands' in corridors
    assert "Netherlands to United States" in text_of(corridors, "corridor-risk")
    points = text_of(corridors, "points")
    assert "Netherlands, example-post 00" in points
    substances = visitor.get("/barriers/board/substances")
    assert "cocaine" in text_of(substances, "substances-by-corridor")
    assert visitor.get("/barriers/board/steps/8", 404)


@on_one_database
def test_a_table_that_would_be_long_says_how_much_it_leaves_out(told: Exchange) -> None:
    points = text_of(Visitor(told, "post-be").get("/barriers/board/corridors?for=own"), "points")
    assert re.search(r"\d+ smaller rows are not shown\.", points)
    assert points.count("example-post") <= 5 + MOST_ROWS


def test_every_page_is_one_read_in_the_log_and_names_no_report(told: Exchange) -> None:
    visitor = Visitor(told, "police-de")
    for number, address in enumerate(PAGES, start=1):
        visitor.get(address)
        assert len(told.entries("barrier.board")) == number
    assert told.entries("barrier.board")[-1].details.keys() >= {"as_of", "cells"}


@on_one_database
def test_the_purpose_is_chosen_shown_and_kept_from_page_to_page(told: Exchange) -> None:
    visitor = Visitor(told, "police-de")
    page = visitor.get("/barriers/board")
    assert "Shown for: risk analysis, police law" in text_of(page)
    other = visitor.get("/barriers/board?for=criminal_intelligence.police_law")
    assert "Shown for: criminal intelligence, police law" in text_of(other)
    assert "/barriers/board/corridors?for=criminal_intelligence.police_law" in unescape(other)
    assert "Shown for: risk analysis, police law" in text_of(visitor.get("/barriers/board?for=x"))


@on_one_database
def test_without_a_purpose_only_ones_own_figures_are_shown(told: Exchange) -> None:
    visitor = Visitor(told, "post-be")
    page = visitor.get("/barriers/board?for=own")
    assert "These are our own figures alone." in text_of(page, "own-only")
    assert "others:" not in text_of(page, "steps")
    assert "In short our own reports" in text_of(page, "findings")
    assert hooks(page, "side") == ["own"]


def test_an_operator_is_told_for_one_purpose_alone_and_reads_why(told: Exchange) -> None:
    visitor = Visitor(told, "post-be")
    assert "Shown for: risk analysis, postal law" in text_of(visitor.get("/barriers/board"))
    page = visitor.get("/barriers/board/corridors?for=parcel_screening.postal_law", 409)
    assert hooks(page, "code") == ["board-one-ground"]
    assert "would give a competitor's volume away" in text_of(page)
    assert 'href="/barriers/board/corridors?for=own"' in page
    assert told.entries("barrier.board")[-1].details["refusal"] == "board-one-ground"


@on_one_database
def test_a_lone_competitors_counts_are_not_told_and_nothing_says_why_of_a_cell(
    told: Exchange,
) -> None:
    """Of one other operator nothing may be told to the first; the police are told such cells."""
    page = Visitor(told, "post-be").get("/barriers/board")
    assert "All reports not told not told" in text_of(page, "risk")
    assert "Which of these it was is not told either." in text_of(page, "not-told")
    assert "All reports not told" not in text_of(Visitor(told, "police-de").get("/barriers/board"))


@on_one_database
def test_before_there_is_a_model_or_a_counted_week_the_page_says_so(exchange: Exchange) -> None:
    visitor = Visitor(exchange, "post-be")
    assert hooks(visitor.get("/barriers/board"), "code") == ["board-not-counted"]
    close(exchange)
    page = visitor.get("/barriers/board")
    assert hooks(page, "code") == ["model-none"]
    assert "within an hour" in text_of(page)


@on_one_database
def test_where_nothing_is_told_the_board_stands_and_claims_nothing(exchange: Exchange) -> None:
    load_model(exchange)
    close(exchange)
    visitor = Visitor(exchange, "police-de")
    page = visitor.get("/barriers/board")
    assert "Nothing of others can be counted for you." in text_of(page, "no-others")
    assert "Too little is told to compare the risk of steps." in text_of(page, "findings")
    assert hooks(page, "movement") == ["none"]
    assert not hooks(page, "effect")
    assert page.count("data-gap") == 7
    for address in PAGES[1:]:
        assert LABEL in text_of(visitor.get(address))


@pytest.mark.parametrize(
    ("language", "label"),
    [
        ("fr", "déduit de sources publiques, pas la liste officielle"),
        ("nl", "afgeleid uit openbare bronnen, niet de officiële lijst"),
        ("de", "aus öffentlichen Quellen abgeleitet, nicht die amtliche Liste"),
    ],
)
@on_one_database
def test_the_label_stands_in_the_readers_language(
    exchange: Exchange, language: str, label: str
) -> None:
    load_model(exchange)
    close(exchange)
    assert label in text_of(Visitor(exchange, "police-de", language).get("/barriers/board"))
