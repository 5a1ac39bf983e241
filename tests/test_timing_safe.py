"""Secrets are compared in a time that does not depend on them: each plain comparison is accounted.

A comparison of bytes, or of something whose name could be that of a secret, a digest or a token, is
`compare_digest`, or stands word for word in `tests/data/plain-comparisons.toml` with its reason.
A new one fails, also in a file that has some.
"""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LISTED = ROOT / "tests" / "data" / "plain-comparisons.toml"
SECRET = {
    *("secret", "secrets", "password", "passphrase", "recovery", "nonce", "seed", "salt"),
    *("signature", "signatures", "signed", "hmac", "mac", "tag", "tags", "sha256", "fingerprint"),
    *("digest", "digests", "hash", "hashes", "commitment", "commitments", "proof", "challenge"),
    *("token", "tokens", "bearer", "cookie", "csrf", "otp", "totp", "credential", "assertion"),
    *("certificate", "thumbprint", "verifier"),
}
"""Words of names that could be those of what nobody may guess bit by bit."""

IN_BYTES = {
    *("bytes", "digest", "encode", "to_bytes", "from_base64url"),
    *("b64decode", "urlsafe_b64decode", "read_bytes"),
}
"""Calls that make bytes of something."""

ONE_TIME = "app/accounts/"
"""Where a code is typed from an authenticator or a letter; elsewhere it is that of a member."""

WORDS_OF_TEXT = "postern/normalise/"
"""Where tokens are words of an address."""


def test_every_plain_comparison_of_what_could_be_secret_is_listed_with_a_reason() -> None:
    found = Counter(
        (str(path.relative_to(ROOT)), each)
        for path in sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "postern").rglob("*.py")])
        for each in compared(path.read_text(), str(path.relative_to(ROOT)))
    )
    known = listed()
    assert sorted((found - known).elements()) == [], "use hmac.compare_digest, or list it"
    assert sorted((known - found).elements()) == [], "listed, but no longer there"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("stored.secret_hash == sent", id="equal"),
        pytest.param("a == b != session.csrf", id="chain"),
        pytest.param("offered in recovery_hashes", id="membership"),
        pytest.param("offered not in {each.token for each in held}", id="in a set"),
        pytest.param("hashlib.sha256(raw).digest() == kept", id="digest"),
        pytest.param("bytes(row.kept) == raw", id="bytes"),
        pytest.param("(row.name, row.mac) == (name, wanted)", id="in a pair"),
        pytest.param("kept['signature'] == sent", id="by its key"),
        pytest.param("code == expected", id="one-time code"),
        pytest.param("kept.get('token') == sent", id="got by its key"),
    ],
)
def test_a_plain_comparison_is_seen(line: str) -> None:
    assert list(compared(f"def check():\n    return {line}\n", "app/accounts/new.py")) != []


def test_what_cannot_tell_of_a_secret_is_left_alone() -> None:
    told = ("len(token) == 16", "kind == 'token'", "kind != Kind.TOKEN", "b'-' in token")
    for line in (*told, "token is None", "member.code == code", "tag in TAGS"):
        assert list(compared(line, "app/organisations/keys.py")) == [], line


def compared(source: str, where: str) -> Iterator[str]:
    """The text of each comparison for equality or membership of what could be secret."""
    secret = SECRET | {"code", "codes"} if where.startswith(ONE_TIME) else SECRET
    if where.startswith(WORDS_OF_TEXT):
        return
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        if not any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(_is_told(side) for side in sides):
            continue
        if any(_is_bytes(side) or secret & _words(side) for side in sides):
            yield ast.unparse(node)


def _is_told(side: ast.expr) -> bool:
    """Whether it stands in the source, by its value or as a constant, or is a length."""
    if isinstance(side, ast.Call) and isinstance(side.func, ast.Name):
        return side.func.id == "len"
    if isinstance(side, ast.Tuple | ast.Set | ast.List):
        return all(_is_told(each) for each in side.elts)
    return isinstance(side, ast.Constant) or _last(side).isupper()


def _is_bytes(side: ast.expr) -> bool:
    return isinstance(side, ast.Call) and _last(side.func) in IN_BYTES


def _words(side: ast.expr) -> set[str]:
    """The words of the names of what is compared; of a call its own, and the keys it is given."""
    match side:
        case ast.Call():
            keys = (str(each.value) for each in side.args if isinstance(each, ast.Constant))
            return set().union(_split(_last(side.func)), *map(_split, keys))
        case ast.Subscript():
            key = side.slice.value if isinstance(side.slice, ast.Constant) else ""
            return _words(side.value).union(_split(str(key)))
        case ast.SetComp() | ast.ListComp() | ast.GeneratorExp():
            return _words(side.elt)
        case ast.DictComp():
            return _words(side.key)
        case ast.Tuple() | ast.Set() | ast.List() | ast.BinOp() | ast.BoolOp() | ast.IfExp():
            parts = [each for each in ast.iter_child_nodes(side) if isinstance(each, ast.expr)]
            return set().union(*map(_words, parts))
    return set(_split(_last(side)))


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else str(getattr(node, "attr", ""))


def _split(name: str) -> list[str]:
    return name.lower().strip("_").split("_")


def listed() -> Counter[tuple[str, str]]:
    """The file and the text of each comparison that may be plain, as often as it may stand."""
    document = tomllib.loads(LISTED.read_text(encoding="utf-8"))
    return Counter(
        (where, each)
        for reason in document["plain"]
        for where, expressions in reason.items()
        if where != "why"
        for each in expressions
    )
