"""A person at the pages, without a browser."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tests.app.people import Person, sign_in


class Visitor:
    """A person at the pages."""

    def __init__(self, app: Flask, person: Person) -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = sign_in(self.client, person)

    def get(self, address: str, status: int = 200) -> str:
        """The page, in the language of the browser."""
        answer = self.client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def post(self, address: str, status: int = 303, **form: Any) -> str:
        """Where it leads to; the page itself where something else is answered."""
        headers = {**self.headers, "Accept": "text/html"}
        answer = self.client.post(address, data=form, headers=headers)
        text = answer.get_data(as_text=True)
        assert answer.status_code == status, text
        return answer.location or text
