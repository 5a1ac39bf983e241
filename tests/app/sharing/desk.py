"""A view of the pages called past its guard, with all that it asks for put in its place."""

import inspect
from typing import Any

import pytest
from flask import Flask

from app import clock
from app.access import Caller
from tests.app.sharing.test_composing import SESSION, WRITER
from tests.app.sharing.test_history import NOON


class Desk:
    """A browser's place: what it sent, what it was shown, and what was done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        self.caller: Caller = WRITER
        self.done: list[Any] = []
        self._patch = monkeypatch
        monkeypatch.setattr(module, "transaction", lambda: SESSION)
        monkeypatch.setattr(module, "caller", lambda: self.caller)
        for name, instead in (
            ("url_for", lambda name, **given: f"{name} {given}"),
            ("render_template", lambda name, **given: (name, given)),
            ("append", lambda *given, **more: self._note("log", given, more)),
        ):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, instead)
        monkeypatch.setattr(clock, "now", lambda: NOON)

    def answering(self, module: Any, name: str, answer: Any) -> None:
        """From now on the module's function gives that answer to this caller; it is noted."""

        def verb(session: object, *asked: Any, **more: Any) -> Any:
            assert session is SESSION
            self._note(name, asked, more)
            if isinstance(answer, type) and issubclass(answer, Exception):
                raise answer
            return answer(*asked, **more) if callable(answer) else answer

        self._patch.setattr(module, name, verb)

    def _note(self, name: str, given: tuple[Any, ...], more: dict[str, Any]) -> None:
        self.done.append((name, given, more))

    def open(self, view: Any, address: str = "/", *about: Any, **sent: str) -> Any:
        """What the view answers, past the guard that its route has."""
        method = "POST" if sent else "GET"
        with Flask("pages").test_request_context(address, method=method, data=sent or None):
            return inspect.unwrap(view)(*about)
