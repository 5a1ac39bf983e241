"""The platform has no way to open what is sealed: nothing in it knows a secret key of a member.

The import contract "The platform opens nothing" holds modules; here are the names in those that it
must import for their public halves.
"""

import ast
from pathlib import Path

import app

ROOMS = Path(app.__file__).parent
PREMISES = ROOMS / "demo"
"""Plays the premises of organisations beside the platform."""

SECRET = {"SecretKey", "SigningIdentity", "open_envelope", "unlock_keys", "recover_keys"}


def test_no_room_names_what_holds_or_uses_a_secret_key() -> None:
    found = {
        (str(path.relative_to(ROOMS)), name)
        for path in sorted(ROOMS.rglob("*.py"))
        if PREMISES not in path.parents
        for name in _names(ast.parse(path.read_text()))
        if name in SECRET
    }
    assert found == set()


def test_the_names_are_those_of_the_library() -> None:
    library = Path(app.__file__).parents[1] / "postern"
    defined = {
        node.name
        for path in library.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }
    assert defined >= SECRET


def _names(tree: ast.AST) -> set[str]:
    return {
        name
        for node in ast.walk(tree)
        for name in (
            getattr(node, "id", None),
            getattr(node, "attr", None),
            getattr(node, "name", None),
        )
        if isinstance(name, str)
    }
