"""The jobs that people come for: each leads to a page, and nobody is shown one that is refused."""

import re
from collections import Counter

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.frame import _MENUS
from app.web.ways import JOBS, first_jobs, jobs_of, may_open
from postern.vocabulary import Role
from tests.app.people import Person, make_organisation, make_person, runtime_of, sign_in


def person(app: Flask, *roles: Role) -> Person:
    make_organisation(runtime_of(app).database, "post-be")
    return make_person(app, "post-be", roles)


def test_every_job_leads_to_a_page_that_somebody_may_open(app: Flask) -> None:
    everybody = person(app, *Role)
    with app.app_context():
        lost = [job.address for job in JOBS if not may_open(everybody.caller, job.path)]
    assert lost == []


def test_a_key_and_an_address_belong_to_one_job() -> None:
    keys = Counter(job.key for job in JOBS if job.key)
    assert max(keys.values()) == 1
    assert all(len(key) == 1 and key.islower() for key in keys)
    assert max(Counter(job.address for job in JOBS).values()) == 1


@pytest.mark.parametrize("role", Role)
def test_each_role_has_daily_jobs_and_none_is_refused(
    app: Flask, client: FlaskClient, role: Role
) -> None:
    holder = person(app, role)
    sign_in(client, holder)
    with app.app_context():
        jobs = jobs_of(holder.caller)
        assert first_jobs(holder.caller, jobs)
    for job in jobs:
        assert client.get(job.address).status_code == 200, job.address


def test_without_a_script_the_list_is_a_page_and_holds_every_way(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, person(app, *Role))
    page = client.get("/go").get_data(as_text=True)
    (listed,) = re.findall(r'<ul class="columns go-list">(.*?)</ul>', page, re.DOTALL)
    shown = [address.partition("?")[0] for address in re.findall(r'href="([^"]+)"', listed)]
    assert set(shown) >= {address for _, links in _MENUS for address, _, _ in links}
    assert set(shown) >= {job.path for job in JOBS}


def test_a_stranger_is_led_to_the_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/go")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/go")


def test_the_palette_of_an_analyst_offers_no_job_of_others(app: Flask, client: FlaskClient) -> None:
    sign_in(client, person(app, Role.ANALYST))
    page = client.get("/account").get_data(as_text=True)
    offered = re.findall(r'data-address="([^"]+)"', page)
    assert "/watches" in offered
    assert not {"/access-log", "/policy", "/jobs"} & set(offered)


def test_a_path_that_names_a_record_or_nothing_is_no_way(app: Flask) -> None:
    holder = person(app, *Role)
    with app.app_context():
        assert not may_open(holder.caller, "/nowhere")
        assert not may_open(holder.caller, "/appearance")
