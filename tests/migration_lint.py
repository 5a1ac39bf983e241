"""What a migration may not send to a PostgreSQL that is in use: squawk's rules and our own.

`faults` judges statements as they were sent, migration by migration;
tests/app/test_migration_walk.py records them while it carries rows of every revision to
the newest. Statements of migrations that were released before there was such a check are excepted
one by one, in migration_exceptions.toml.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SQUAWK = Path(sys.executable).with_name("squawk")
EXCEPTIONS = Path(__file__).with_name("migration_exceptions.toml")
RELEASES = Path(__file__).parents[1] / "migrations" / "releases.toml"
POSTGRESQL = "15.0"  # the oldest that is supported

NOT_ASKED = {
    "prefer-robust-stmts": "a migration is one transaction, or says itself how it is repeated",
    "prefer-bigint-over-int": "keys of members and people stay below 2^31",
    "prefer-identity": "SQLAlchemy makes sequences",
    "prefer-text-field": "lengths are bounds that the service keeps too; nobody changes them",
    "prefer-bigint-over-smallint": "days since 1970, grades and facets, all of them bounded",
    "require-statement-timeout": "lock_timeout bounds what others wait for",
    "require-lock-timeout": "our own rule asks for it once a session, where it is set",
    "ban-drop-column": "our own rule lets a contracting migration do it",
    "ban-drop-table": "our own rule lets a contracting migration do it",
}
"""Rules of squawk that are not asked, and why."""

_CHANGES = re.compile(r"^\s*(UPDATE|DELETE\s+FROM|INSERT\s+INTO)\s+\"?(\w+)", re.IGNORECASE)
_CREATES = re.compile(r"^\s*CREATE\s+TABLE\s+(?:IF NOT EXISTS\s+)?\"?(\w+)", re.IGNORECASE)
_DEFINES = re.compile(r"^\s*(ALTER|CREATE|DROP|COMMENT|GRANT|REVOKE|TRUNCATE)\b", re.IGNORECASE)
_TAKES_AWAY = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|VIEW|FUNCTION|TYPE)\b|\bRENAME\b"
    r"|\bADD\s+COLUMN\b(?!.*\bDEFAULT\b).*\bNOT\s+NULL\b",
    re.IGNORECASE | re.DOTALL,
)
_TABLE = re.compile(
    r"^\s*(?:(?:ALTER|DROP)\s+TABLE\s+(?:ONLY\s+)?|CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\bON\s+)\"?(\w+)",
    re.IGNORECASE | re.DOTALL,
)
_CONSTRAINT = re.compile(r"\b(ADD|DROP)\s+CONSTRAINT\s+\"?(\w+)", re.IGNORECASE)
_LOCKS_LONG = re.compile(
    r"\bLOCK\s+TABLE\b|\bCLUSTER\b|\bVACUUM\s+FULL\b|^\s*TRUNCATE\b", re.IGNORECASE
)
_LOCK_TIMEOUT = re.compile(r"SET\s+lock_timeout\s*=\s*'?0*[1-9]", re.IGNORECASE)
_OWN_TABLE = "alembic_version"


@dataclass(frozen=True)
class Sent:
    """What one migration sent; `contracts` is what it says of itself, see docs/upgrading.md."""

    revision: str
    statements: Sequence[str]
    contracts: str | None = None
    released: frozenset[str] = field(default_factory=frozenset)  # last revisions of releases


@dataclass(frozen=True, order=True)
class Fault:
    """`statement` with single spaces, so that how it is broken into lines is nothing."""

    revision: str
    rule: str
    statement: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "statement", " ".join(self.statement.split()))

    def __str__(self) -> str:
        return f"{self.revision}: {self.rule}: {self.statement[:200]}"


def faults(sent: Sent) -> list[Fault]:
    """What is wrong with a migration; nothing when it may run while the platform serves."""
    statements = [each for each in sent.statements if _OWN_TABLE not in each]
    return sorted({*_own(sent, statements), *_squawk(sent.revision, statements)})


def _own(sent: Sent, statements: Sequence[str]) -> Iterator[Fault]:
    made = _made(statements)
    is_bounded = False
    for statement in statements:
        is_bounded = is_bounded or bool(_LOCK_TIMEOUT.search(statement))
        rules = []
        if _DEFINES.match(statement) and not is_bounded:
            rules.append("lock-timeout-missing")
        changed = _CHANGES.match(statement)
        if changed and changed[2] not in made:
            rules.append("data-moved-by-a-migration")
        if _LOCKS_LONG.search(statement):
            rules.append("locks-long")
        if _TAKES_AWAY.search(statement) and not _is_of(made, statement):
            if sent.contracts is None:
                rules.append("taken-away-without-contracts")
            elif sent.contracts not in sent.released:
                rules.append("taken-away-in-the-release-that-stops-using-it")
        yield from (Fault(sent.revision, rule, statement) for rule in rules)


def _made(statements: Sequence[str]) -> set[str]:
    """The tables that the migration makes: nobody waits for them yet."""
    return {found[1] for each in statements if (found := _CREATES.match(each))}


def _is_of(made: set[str], statement: str) -> bool:
    table = _TABLE.match(statement)
    return table is not None and table[1] in made


def _squawk(revision: str, statements: Sequence[str]) -> Iterator[Fault]:
    """What squawk says of the statements that define something."""
    made = _made(statements)
    added: set[str] = set()
    asked = []
    for each in statements:
        named = {(verb.upper(), name) for verb, name in _CONSTRAINT.findall(each)}
        added |= {name for verb, name in named if verb == "ADD"}
        is_passing = any(verb == "DROP" and name in added for verb, name in named)
        if _DEFINES.match(each) and not is_passing and not _is_of(made, each):
            asked.append(each.strip().rstrip(";"))
    if not asked:
        return
    lines: list[int] = []
    text = ""
    for statement in asked:
        lines.append(text.count("\n"))
        text += statement + ";\n"
    excluded = ",".join(sorted(NOT_ASKED))
    ended = subprocess.run(
        [SQUAWK, "--reporter", "json", "--pg-version", POSTGRESQL, "--exclude", excluded],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    for told in json.loads(ended.stdout or "[]"):
        place = max(number for number, line in enumerate(lines) if line <= told["line"])
        yield Fault(revision, told["rule_name"], asked[place])


def excepted() -> dict[Fault, str]:
    """The faults of migrations that were released before there was such a check, and why."""
    told = tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))
    return {
        Fault(revision, each["rule"], statement): each["reason"]
        for revision, groups in told.items()
        for each in groups
        for statement in each["statements"]
    }


def released() -> frozenset[str]:
    """The last revision of each release, see migrations/releases.toml."""
    told = tomllib.loads(RELEASES.read_text(encoding="utf-8"))
    return frozenset(str(each) for each in told["releases"].values())
