"""Every page that a person may open, found by walking: from the route table and by links."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

_NOT_PAGES = ("/api/", "/audit/", "/static/", "/health/", "/.well-known/")
_LINK = re.compile(r'href="(/[^"#]*)')


def pages_of(app: Flask, client: FlaskClient) -> dict[str, str]:
    """Address to HTML of one page for each route that answers the signed-in client with a page.

    Routes that name a record are walked where a page links to one; new routes join by themselves.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = list(_without_a_record(app))
    while waiting:
        address = waiting.pop(0)
        endpoint = _endpoint(app, address)
        if endpoint is None or endpoint in seen:
            continue
        answer = client.get(address, headers={"Accept": "text/html"})
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        seen.add(endpoint)
        found[address] = answer.get_data(as_text=True)
        waiting += links_of(found[address])
    return found


def _without_a_record(app: Flask) -> Iterator[str]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        is_page = not rule.rule.startswith(_NOT_PAGES) or rule.rule == "/api/docs"
        if "GET" in (rule.methods or ()) and not rule.arguments and is_page:
            yield rule.rule


def links_of(html: str) -> list[str]:
    """The addresses of pages to which a page leads."""
    return [
        address
        for address in map(unescape, _LINK.findall(html))
        if not address.startswith(_NOT_PAGES)
    ]


def _endpoint(app: Flask, address: str) -> str | None:
    try:
        endpoint, _named = app.url_map.bind("").match(urlsplit(address).path, method="GET")
    except HTTPException:
        return None
    return str(endpoint)
