"""Takes bounds out of a copy of the program and sees that their tests fail.

`python -m tests.taken_out [MODULE:NAME...]` reads docs/bounds.md. In the copy every use of the
constants becomes a very large number, while the constants themselves stay, so that tests go on
knowing them. All are taken out at once, or those that are named. Ends with 1 when a test passes
without its bound.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.mutation.trial import prepared_databases
from tests.test_bounds import CASES, PAGE, ROOT, ROW

_LARGE = b"(10**9)"
_PARTS = (
    "app",
    "config",
    "docs",
    "migrations",
    "policies",
    "postern",
    "tests",
    "pyproject.toml",
    "wsgi.py",
)
_SECONDS = 180  # of one test

_GUNICORN = "config/gunicorn.conf.py"
_BY_HAND: Mapping[str, tuple[str, str, str]] = (
    {
        f"app.config:{name}": ("app/__init__.py", "SECRET_KEY=secrets.cookies,", f"{name}=None,")
        for name in ("MAX_FORM_PARTS", "MAX_FORM_MEMORY_SIZE")
    }
    | {
        "app.config:MAX_CONTENT_LENGTH": (
            "app/__init__.py",
            "MAX_CONTENT_LENGTH=settings.limit.body_bytes,",
            "MAX_CONTENT_LENGTH=None,",
        ),
    }
    | {
        f"{_GUNICORN}:{name}": (_GUNICORN, f"\n{name} = ", f"\n{name} = {instead}  # ")
        for name, instead in (
            ("limit_request_line", 0),
            ("limit_request_field_size", 1_000_000),
            ("limit_request_fields", 32_768),
        )  # as much as gunicorn can be told to take
    }
)
"""File, text, and what stands in its place or beside it, of bounds that are not our constants."""


def main(names: Sequence[str]) -> int:
    """How many bounds were taken out unnoticed: all at once, or only those that are named."""
    rows = {
        f"{where}:{constant}": test
        for _, _, where, constant, test in ROW.findall(PAGE.read_text("utf-8"))
    }
    chosen = {name: rows[name] for name in names or rows}
    with tempfile.TemporaryDirectory(prefix="postern-bounds-") as made:
        tree = Path(made) / "tree"
        copy(tree)
        for name in chosen:
            take_out(tree, name)
        with prepared_databases() as databases:
            failed = set[str]().union(
                *(failing(tree, test, databases) for test in dict.fromkeys(chosen.values()))
            )
    unnoticed = 0
    for name, test in chosen.items():
        its_own = f"{test}[{name}]" if name in CASES else test
        is_noticed = any(each == its_own or each.startswith(f"{its_own}[") for each in failed)
        unnoticed += not is_noticed
        sys.stdout.write(f"{'noticed' if is_noticed else 'UNNOTICED':9} {name} by {test}\n")
    return unnoticed


def copy(tree: Path) -> None:
    """The program and its tests in another folder."""
    tree.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "site")
    for part in _PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part, ignore=ignored)
        else:
            shutil.copy(source, tree / part)


def take_out(tree: Path, name: str) -> None:
    """Take a bound out of the copy. LookupError when it is used nowhere."""
    changed = dict(without(tree, name))
    if not changed:
        raise LookupError(f"{name} is used nowhere.")
    for path, content in changed.items():
        path.write_bytes(content)


def failing(tree: Path, test: str, databases: Path) -> set[str]:
    """The cases of a test that fail, on SQLite where they need a database.

    A test that breaks the interpreter, or does not end, failed as a whole.
    """
    asked = (sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider")
    try:
        done = subprocess.run(
            [*asked, f"--prepared={databases}", "-k", "not postgresql", test],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {test}
    if done.returncode < 0:
        return {test}
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{test} cannot be run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return set(re.findall(r"^FAILED (.+?)(?: - .*)?$", done.stdout, re.MULTILINE))


def without(tree: Path, name: str) -> Iterator[tuple[Path, bytes]]:
    """Every file that uses a bound, with a large number in its place."""
    if name in _BY_HAND:
        file, text, instead = _BY_HAND[name]
        content = (tree / file).read_text()
        beside = instead if instead.partition("=")[0] in text else f"{text} {instead}"
        yield tree / file, content.replace(text, beside).encode()
        return
    module, constant = name.split(":")
    for part in ("app", "postern"):
        for path in (tree / part).rglob("*.py"):
            raw = path.read_bytes()
            if constant.encode() in raw:
                own = ".".join(path.relative_to(tree).with_suffix("").parts)
                found = list(_uses(ast.parse(raw), constant, module, is_own=own == module))
                if found:
                    yield path, _replaced(raw, found)


def _uses(tree: ast.Module, constant: str, module: str, *, is_own: bool) -> Iterator[ast.expr]:
    """Where a file reads the constant; in the words of an f-string it may stay."""
    parent, _, stem = module.rpartition(".")
    modules, knows = set(), is_own
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            told = {each.name: each.asname or each.name for each in node.names}
            knows |= node.module == module and told.get(constant) == constant
            if node.module == parent and stem in told:
                modules.add(told[stem])
    words = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in words:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if knows and node.id == constant:
                yield node
        elif (
            isinstance(node, ast.Attribute)
            and node.attr == constant
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
        ):
            yield node


def _replaced(raw: bytes, spots: Sequence[ast.expr]) -> bytes:
    lines = raw.splitlines(keepends=True)
    for spot in sorted(spots, key=lambda each: (each.lineno, each.col_offset), reverse=True):
        line = lines[spot.lineno - 1]
        lines[spot.lineno - 1] = line[: spot.col_offset] + _LARGE + line[spot.end_col_offset :]
    return b"".join(lines)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
