"""Secrets are compared in a time that does not depend on them: no `==` on what could be one."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECRET = {
    *("secret", "password", "passphrase", "recovery", "nonce", "certificate", "thumbprint"),
    *("signature", "hmac", "mac", "tag", "digest", "hash", "hashes", "commitment"),
}
IN_SQL = (
    "the database looks up a digest of a secret of 256 bits; its time tells of the digest alone"
)
CHANGED = "two stored digests: whether one changed since it was read; nobody sends either"
PUBLIC = "both sides are public, or known to whoever sends them"
PLAIN = {
    "app/accounts/authentication.py": IN_SQL,
    "app/accounts/factors.py": IN_SQL,
    "app/accounts/open_sessions.py": "the caller's own sessions, by digests",
    "app/accounts/passwords.py": "both were sent in one form by one person",
    "app/accounts/sign_in.py": f"{IN_SQL}; {CHANGED}",
    "app/accounts/step_up.py": CHANGED,
    "app/audit/archive.py": PUBLIC,
    "app/audit/archive_file.py": PUBLIC,
    "app/audit/sequencer.py": PUBLIC,
    "app/barriers/counting.py": "tags of steps, no secrets",
    "app/barriers/model_upkeep.py": PUBLIC,
    "app/disclosures/storage.py": "the tag of the caller's own case, looked up among its own rows",
    "app/indicators/envelopes.py": "whether an owner sends its own envelope again",
    "app/indicators/service.py": "whether a sender repeats its own report",
    "app/organisations/envelope_checks.py": PUBLIC,
    "app/pseudonyms/holder_service.py": PUBLIC,
    "app/web/reference.py": "tags of the interface's description",
    "postern/audit/copying.py": PUBLIC,
    "postern/audit/live.py": PUBLIC,
    "postern/audit/offline.py": PUBLIC,
    "postern/audit/own_entries.py": PUBLIC,
    "postern/holder_share.py": PUBLIC,
    "postern/key_file.py": PUBLIC,
    "postern/key_publications.py": PUBLIC,
    "postern/organisation_entry.py": PUBLIC,
    "postern/organisation_keys.py": PUBLIC,
    "postern/pattern_folder.py": PUBLIC,
    "postern/rotation.py": PUBLIC,
    "postern/token_filter.py": "on premises, of a filter that its holder has as a whole",
}
"""Files with plain comparisons of such names, and why each is safe."""


def test_no_secret_is_compared_in_a_time_that_tells_of_it() -> None:
    found = list(compared())
    assert [each for each in found if each[0] not in PLAIN] == []
    assert PLAIN.keys() - {where for where, _ in found} == set()


def compared() -> Iterator[tuple[str, str]]:
    """The file and the text of each comparison for equality of something with such a name."""
    for path in sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "postern").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                sides = [node.left, *node.comparators]
                if any(isinstance(side, ast.Constant) for side in sides):
                    continue
                if any(SECRET.intersection(_name(side).split("_")) for side in sides):
                    yield str(path.relative_to(ROOT)), ast.unparse(node)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
