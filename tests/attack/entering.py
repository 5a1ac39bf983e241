"""Entering: sessions, routes without a guard, requests of another site."""

from collections.abc import Iterator
from http.client import OK
from typing import Any
from urllib.parse import urlsplit

import requests
from werkzeug.routing import Rule

from postern.vocabulary import Role
from tests.app.matrix.expectations import EXPECTED
from tests.app.people import make_person
from tests.attack.ground import NEVER, OUTSIDER, OWNER, Ground
from tests.attack.verdict import Tried, attack


def rules(made: Ground) -> Iterator[tuple[Rule, str]]:
    """Every route and verb of the platform."""
    for rule in sorted(made.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.endpoint != "static":
                yield rule, method


def address_of(made: Ground, rule: Rule, method: str, **named: object) -> str:
    """The address of a route, with a record that never existed where none is named."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        converter = type(rule._converters[name]).__name__
        unknown = {"UUIDConverter": NEVER, "IntegerConverter": 7}.get(converter, "none")
        values[name] = named.get(name, unknown)
    return str(made.app.url_map.bind("localhost").build(rule.endpoint, values, method=method))


@attack(
    "session fixation and theft of an ended session",
    stopped_by="a new session name at each sign-in, known to the database alone, ended there",
)
def sessions(made: Ground) -> Tried:
    tried = Tried()
    person = make_person(made.app, OUTSIDER, Role)
    planted = made.visit()
    planted.ask("GET", "/sign-in")
    cookie = planted.cookies["postern"]
    victim = made.visit()
    victim.cookies.set("postern", cookie, domain="127.0.0.1", path="/")
    victim.sign_in(person)
    live = victim.cookies["postern"]

    def enters(name: str) -> bool:
        thief = made.visit()
        answer = thief.ask("GET", "/account", headers={"Cookie": f"postern={name}"})
        return answer.status_code == 200

    tried.attempt("a planted cookie", wins=enters(cookie))
    tried.control += enters(live)
    for place in range(0, len(live), made.many(1, 9)):
        bent = live[:place] + ("A" if live[place] != "A" else "B") + live[place + 1 :]
        tried.attempt("a changed cookie", wins=enters(bent) and place < len(live) - 1)
    for name in ("", "null", "a.b.c", "e30.e30.e30", live.split(".")[0]):
        tried.attempt("a made-up cookie", wins=enters(name))
    token = victim.form_token()
    assert victim.ask("POST", "/sign-out", data={"csrf_token": token}).status_code == 303
    tried.attempt("the cookie after signing out", wins=enters(live))
    for code in ("the same", "again"):
        tried.attempt(f"the ended cookie, {code}", wins=enters(live))
    return tried


@attack(
    "routes without a guard: nobody, no role (class 2: the sibling that was forgotten)",
    stopped_by="deny by default: @audited is on every route, held to the table by a test",
)
def unguarded(made: Ground) -> Tried:
    tried = Tried()
    nobody, without = made.visit(), made.visit(make_person(made.app, OUTSIDER))
    everybody = made.visit(OUTSIDER)
    token = without.form_token()
    for rule, method in list(rules(made))[:: made.many(1, 12)]:
        route = EXPECTED.get((rule.endpoint, method))
        if route is None or route.roles is None:
            continue
        address = address_of(made, rule, method)
        answer = nobody.ask(method, address)
        tried.attempt(f"{method} {rule.rule} by nobody", wins=_is_done(answer))
        if route.roles != frozenset(Role):
            answer = without.ask(method, address, data={"csrf_token": token})
            tried.attempt(f"{method} {rule.rule} without a role", wins=_is_done(answer))
            tried.control += method == "GET" and _is_done(everybody.ask(method, address))
    return tried


@attack(
    "cross-site requests with a victim's cookie",
    stopped_by="a token of the session in every form, and what browsers say of the sender",
)
def cross_site(made: Ground) -> Tried:
    """A page of the attacker sends what the victim's browser adds its cookie to."""
    tried = Tried()
    attacker = made.visit(OUTSIDER)
    foreign = attacker.form_token()
    victim = made.visit(OWNER)
    forms = [
        (rule, method)
        for rule, method in rules(made)
        if method != "GET" and (route := EXPECTED.get((rule.endpoint, method))) and route.roles
    ]
    for rule, method in forms[:: made.many(1, 12)]:
        address = address_of(made, rule, method)
        if victim.ask("GET", "/account").status_code != OK:  # the form before ended the session
            victim = made.visit(OWNER)
        own = victim.form_token()
        for token in ("", foreign, own[:-1], own[::-1]):
            answer = victim.ask(method, address, data={"csrf_token": token})
            tried.attempt(f"{method} {rule.rule}", wins=not _is_refused(answer))
        headers = {"Sec-Fetch-Site": "cross-site"}
        answer = victim.ask(method, address, data={"csrf_token": own}, headers=headers)
        tried.attempt(f"{method} {rule.rule}, said by the browser", wins=not _is_refused(answer))
        answer = victim.ask(method, address, data={"csrf_token": own})
        tried.control += not _is_refused(answer)
    return tried


def _is_refused(answer: requests.Response) -> bool:
    """Before anything is done: for want of the token, or as no body that the route takes."""
    is_told = "cross-site-request" in answer.text or "Open the page again" in answer.text
    return (answer.status_code == 400 and is_told) or answer.status_code == 415


def _is_done(answer: requests.Response) -> bool:
    if answer.is_redirect:
        return not urlsplit(answer.headers["Location"]).path.startswith(
            ("/sign-in", "/account/security")
        )
    return answer.ok
