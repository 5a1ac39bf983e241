"""`postern patterns`: check, format, explain, export and share shipping patterns."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from postern.commands.screen import patterns_option, prepared_manifest, running_engine
from postern.commands.shared_patterns import fetch, outcome, tell
from postern.commands.terminal import ExitCode, counted, notice, say
from postern.duckdb_engine import Engine
from postern.patterns.compiling import compiled
from postern.patterns.errors import PatternError
from postern.patterns.explanation import explained_rule
from postern.patterns.files import rule_files, rules_of, text_of
from postern.patterns.formatting import formatted
from postern.patterns.levels import MILLION, alert_budgets, highest_level, is_above_budget
from postern.patterns.model import Level, Rule
from postern.patterns.plain import failed_examples
from postern.patterns.reading import read_rules
from postern.patterns.schema import filter_schema, rule_schema
from postern.patterns.words import LANGUAGES
from postern.screening import find
from postern.stix.records import PatternRecord
from postern.stix.shipping_patterns import objects_of_rule, rule_name
from postern.stix.writing import bundle_text

_FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILES",
    type=click.Path(path_type=Path, exists=True),
)


@click.group()
def patterns() -> None:
    """Check, format, explain, export and share shipping patterns.

    A pattern is a rule about parcels in a YAML file. FILES may be folders. Nothing is sent, but by
    `fetch`, `tell` and `outcome`.
    """


for _command in (fetch, tell, outcome):
    patterns.add_command(_command)


@patterns.command()
@_FILES
@click.pass_context
def check(context: click.Context, files: tuple[Path, ...]) -> None:
    """Check the rules in FILES, and run the tests that each rule brings along.

    Ends with 1 when a rule cannot be read or a test of its own fails.
    """
    rules, bad = 0, 0
    for path in rule_files(files):
        try:
            read = read_rules(text_of(path), str(path))
        except PatternError as error:
            bad += 1
            say(str(error))
            continue
        rules += len(read)
        for rule in read:
            for failed in failed_examples(rule):
                bad += 1
                should = "hits nothing and must hit" if failed.must_hit else "hits and must not"
                say(f"{path}: line {failed.line}: the example of {rule.title!r} {should}.")
    say(f"{counted(rules, 'rule')} read, {counted(bad, 'fault')} found.")
    if bad:
        context.exit(ExitCode.FAILED)


@patterns.command(name="format")
@_FILES
@click.option("--check", "only_check", is_flag=True, help="Change nothing; end with 1 instead.")
@click.pass_context
def format_(context: click.Context, files: tuple[Path, ...], only_check: bool) -> None:
    """Write the rules in FILES in the one way: order of keys, indentation, quotation marks."""
    changed = []
    for path in rule_files(files):
        before = text_of(path)
        after = formatted(before, str(path))
        if before != after:
            changed.append(path)
            if not only_check:
                path.write_text(after, encoding="utf-8")
    for path in changed:
        say(f"{'would change' if only_check else 'changed'} {path}")
    say(f"{counted(len(changed), 'file')} {'to change' if only_check else 'changed'}.")
    if changed and only_check:
        context.exit(ExitCode.FAILED)


@patterns.command()
@_FILES
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def explain(files: tuple[Path, ...], language: str) -> None:
    """Say in words what each rule in FILES asks for."""
    for rule in rules_of(files):
        say(f"{rule.title} [{rule.level}, TLP:{rule.tlp}, until {rule.expires}]")
        say(f"  {explained_rule(rule, language)}")


@patterns.command()
@click.argument("kind", type=click.Choice(["rule", "filter"]), default="rule")
def schema(kind: str) -> None:
    """Print the JSON Schema of a rule, or of a filter, for editors that complete and warn."""
    say(json.dumps(rule_schema() if kind == "rule" else filter_schema(), indent=1))


@patterns.command()
@_FILES
def stix(files: tuple[Path, ...]) -> None:
    """Print the rules in FILES as a bundle of STIX 2.1, with what their STIX patterns lose."""
    now = datetime.now(UTC)
    objects: dict[str, str] = {}
    for path in rule_files(files):
        text = text_of(path)
        rules = read_rules(text, str(path))
        for rule, one in zip(rules, _documents(text, len(rules)), strict=True):
            own = text if len(rules) == 1 else one
            record = PatternRecord(rule_name(rule), now, now, None, own)
            found = objects_of_rule(rule, record)
            objects |= {entry.id: entry.text for entry in (*found.support, *found.own)}
    say(json.dumps(json.loads(bundle_text(objects.values())), ensure_ascii=False, indent=1))


@patterns.command()
@click.argument(
    "manifest", metavar="MANIFEST", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@patterns_option
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="How the manifest's columns are read.",
)
@click.option(
    "--budget",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="End with 1 when a rule hits more than so many of a million parcels.",
)
@click.pass_context
def estimate(
    context: click.Context,
    manifest: Path,
    paths: tuple[Path, ...],
    mapping: Path | None,
    budget: int | None,
) -> None:
    """Tell how many of a million parcels each rule would hit, from a MANIFEST of yours.

    Do it before a rule is shared: a rule that hits too much is work for everybody. Each level
    allows so many hits; a rule with more is to be narrowed, or lowered. Beside it stands how many
    parcels fulfil the rule before they are grouped, which is what makes screening slow.
    """
    rules = rules_of(paths)
    with (
        tempfile.TemporaryDirectory(prefix="postern-") as work,
        running_engine(Path(work)) as engine,
    ):
        screened, counts = _counted(manifest, mapping, rules, engine, Path(work))
    over = [rule for rule in rules if budget and counts[rule.id][0] * MILLION > budget * screened]
    above = [rule for rule in rules if is_above_budget(rule.level, counts[rule.id][0], screened)]
    for rule in sorted(rules, key=lambda each: -counts[each.id][0]):
        rates = [each * MILLION // screened if screened else 0 for each in counts[rule.id]]
        mark = "over budget  " if rule in over else ""
        say(
            f"{rates[0]:>9,} per million of {rates[1]:>9,} fulfilled  {rule.level:<8}  "
            f"{mark}{rule.title}"
        )
    for rule in above:
        _warn(rule, highest_level(counts[rule.id][0], screened))
    if over:
        notice(f"{counted(len(over), 'rule')} over the budget of {budget:,} per million parcels.")
        context.exit(ExitCode.FAILED)


def _warn(rule: Rule, level: Level | None) -> None:
    """What a rule's level promises and its hits do not keep."""
    lower = f", or lower it to {level}" if level else ": no level allows as many"
    notice(
        f"{rule.title!r} hits more than the {alert_budgets()[rule.level]:,} per million of level "
        f"{rule.level}. Narrow it{lower}."
    )


def _counted(
    manifest: Path, mapping: Path | None, rules: tuple[Rule, ...], engine: Engine, work: Path
) -> tuple[int, dict[str, tuple[int, int]]]:
    """How many parcels were screened; by its id each rule's hits, and parcels that fulfil it."""
    made = prepared_manifest(manifest, mapping, work, engine, lambda *_: None)
    find(engine, made.path, compiled(rules, ()), lambda *_: None, counts=True)
    found = dict(engine.rows("SELECT rule, count(*) FROM hits GROUP BY rule"))
    (fulfilled,) = engine.rows("SELECT * FROM fulfilled")
    return made.account.screened, {
        rule.id: (int(found.get(n, 0)), int(fulfilled[n])) for n, rule in enumerate(rules)
    }


def _documents(text: str, count: int) -> list[str]:
    """The single documents of a text that holds `count` of them, each formatted."""
    parts = formatted(text).split("\n---\n")
    return parts if len(parts) == count else [text] * count
