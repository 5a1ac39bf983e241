"""Mutants of a source file: its text with one small fault each.

Most faults are mutmut's. Its own runner makes them inside functions only and chooses between them
when a function is called, so that what runs on import (a table, a statement built once) would never
be tested; here each mutant is a whole file, to be imported afresh.
"""

import difflib
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

MODULE = "(module)"
_NOTHING = "(nothing)"
_ALREADY_REVERSED = (cst.Equal, cst.NotEqual, cst.Is, cst.IsNot, cst.In, cst.NotIn)
_STRING = m.SimpleString() | m.FormattedString() | m.ConcatenatedString()
_DOCSTRING = m.Expr(m.SimpleString() | m.ConcatenatedString())
_TYPE = re.compile(r"_?[A-Z]\w*[a-z]\w*")  # a name in capitals and small letters, as types have
_TYPE_ALIAS = m.Assign(
    targets=[m.AssignTarget(m.Name(value=m.MatchRegex(_TYPE.pattern)))],
    value=m.Subscript()
    | m.BinaryOperation(operator=m.BitOr())
    | m.Call(func=m.Name("TypeVar") | m.Name("TypeVarTuple")),
)
_WORDS = m.Assign(targets=[m.AssignTarget(m.Name("title") | m.Name("remedy"))])
_STRICT = m.Arg(keyword=m.Name("strict"))
# Words for people: a parameter of such a name documents, wherever it stands.
_DOCUMENTING = {"description", "summary", "help", "short_help", "example"}
_DOCUMENTED = m.DictElement(m.SimpleString(m.MatchIfTrue(lambda key: key[1:-1] in _DOCUMENTING)))
_DOCUMENTATION = m.Arg(
    keyword=m.Name("metadata"), value=m.Dict(elements=[m.AtLeastN(_DOCUMENTED, n=1)])
) | m.Arg(keyword=m.Name(m.MatchIfTrue(lambda name: name in _DOCUMENTING)), value=_STRING)
_MARKED = m.Call(  # as a sentence to translate
    func=m.Name("_") | m.Name("N_") | m.Name("gettext") | m.Name("ngettext")
)
# What nothing at run time reads, or what cannot be wrong without being wrong at once.
_NEVER = (
    m.Annotation()
    | m.Decorator()
    | m.Import()
    | m.ImportFrom()
    | _DOCSTRING
    | _TYPE_ALIAS
    | m.AnnAssign(annotation=m.Annotation(m.Name("TypeAlias")))
    | m.Call(func=m.Name("cast"))
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: where it is, what it changes, and the whole text of the file with it."""

    file: str  # from the root of the repository
    function: str  # qualified, or MODULE
    lines: frozenset[int]  # of the original, from 1: the test that runs one of them may notice
    change: str  # "lines before => lines after"
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """How the list of explained mutants names it; equal lines of one function share it."""
        return self.file, self.function, self.change


def mutants(file: str, source: str, functions: Container[str] | None = None) -> list[Mutant]:
    """Every mutant of `source`, in the order of its lines; none equals it or fails to compile.

    With `functions` only those in functions of these names.
    """
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _Faults()
    wrapper.visit(visitor)
    # Only the statement that holds the fault is written again: a whole file takes much longer.
    written = {id(each): wrapper.module.code_for_node(each) for each in wrapper.module.body}
    starts = dict(zip(written, _starts(source, written.values()), strict=True))
    made: dict[str, Mutant] = {}
    for fault in visitor.found:
        if functions is not None and fault.function not in functions:
            continue
        before, start = written[id(fault.statement)], starts[id(fault.statement)]
        changed = fault.statement.deep_replace(fault.old, fault.new)
        assert isinstance(changed, cst.CSTNode)
        after = wrapper.module.code_for_node(changed)
        text = source[:start] + after + source[start + len(before) :]
        if after != before and text not in made and _compiles(after):
            change = _change(before, after)
            made[text] = Mutant(file, fault.function, fault.lines, change, text)
    return sorted(made.values(), key=lambda mutant: min(mutant.lines))


def _starts(source: str, written: Iterable[str]) -> Iterator[int]:
    """Where each of the statements of a module begins: they follow one another."""
    parts = list(written)
    place = source.index("".join(parts))
    for part in parts:
        yield place
        place += len(part)


@dataclass(frozen=True, slots=True)
class _Fault:
    statement: cst.CSTNode  # of the module, which holds it
    old: cst.CSTNode
    new: cst.CSTNode
    function: str
    lines: frozenset[int]


class _Faults(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Fault] = []
        self._within: list[cst.CSTNode] = []
        self._left_alone: set[cst.CSTNode] = set()
        self._documenting: dict[object, int] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Module):
            self._documenting = _documenting_parameters(node)
        if m.matches(node, _NEVER) or node in self._left_alone or self._is_words_of_an_error(node):
            return False
        if isinstance(node, cst.Call):
            self._left_alone.update(self._arguments_left_alone(node))
        if isinstance(node, cst.Arg) and m.matches(node, m.Arg(keyword=m.Name("metadata"))):
            self._left_alone.update(m.findall(node.value, _DOCUMENTED))
        self._within.append(node)
        lines = self._lines(node)
        in_raise = any(isinstance(outer, cst.Raise) for outer in self._within)
        for new in _faults(node):
            if not (in_raise and _only_words(node, new)) and not self._only_left_alone(node, new):
                statement = self._within[1]
                self.found.append(_Fault(statement, node, new, self._function(), lines))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._within and self._within[-1] is original_node:
            self._within.pop()

    def _arguments_left_alone(self, call: cst.Call) -> Iterator[cst.Arg]:
        """`strict` of `zip`, and words that document or that are there to be translated."""
        name = call.func.value if isinstance(call.func, cst.Name) else None
        for place, arg in enumerate(call.args):
            if (
                m.matches(arg, _STRICT | _DOCUMENTATION)
                or (arg.keyword is None and place == self._documenting.get(name))
                or (m.matches(arg.value, _STRING) and m.matches(call, _MARKED))
            ):
                yield arg

    def _only_left_alone(self, old: cst.CSTNode, new: cst.CSTNode) -> bool:
        """Whether nothing changes but such an argument."""
        if not (isinstance(old, cst.Call) and isinstance(new, cst.Call)):
            return False
        kept = set(new.args)
        return any(arg in self._left_alone and arg not in kept for arg in old.args)

    def _is_words_of_an_error(self, node: cst.CSTNode) -> bool:
        within = [each for each in self._within if isinstance(each, cst.FunctionDef | cst.ClassDef)]
        return (
            bool(within)
            and isinstance(within[-1], cst.ClassDef)
            and within[-1].name.value.endswith("Error")
            and m.matches(node, _WORDS)
        )

    def _function(self) -> str:
        names = [
            outer.name.value
            for outer in self._within
            if isinstance(outer, cst.FunctionDef | cst.ClassDef)
        ]
        return ".".join(names) or MODULE

    def _lines(self, node: cst.CSTNode) -> frozenset[int]:
        """Those of the node, and of the simple statement that it is part of."""
        outer = [n for n in self._within if isinstance(n, cst.SimpleStatementLine)]
        spans: list[int] = []
        for each in (node, *outer):
            place = self.get_metadata(PositionProvider, each, None)
            if place is not None:
                spans += range(place.start.line, place.end.line + 1)
        if spans:
            return frozenset(spans)
        return self._lines_above(node)

    def _lines_above(self, node: cst.CSTNode) -> frozenset[int]:
        """Of the closest node around that has a place: an operator has none of its own."""
        for outer in reversed([n for n in self._within if n is not node]):
            place = self.get_metadata(PositionProvider, outer, None)
            if place is not None:
                return frozenset(range(place.start.line, place.end.line + 1))
        return frozenset({1})


def _documenting_parameters(module: cst.Module) -> dict[object, int]:
    """The functions of a file that take a description, and in which place."""
    return {
        function.name.value: place
        for function in m.findall(module, m.FunctionDef())
        if isinstance(function, cst.FunctionDef)
        for place, parameter in enumerate(function.params.params)
        if parameter.name.value in _DOCUMENTING
    }


def _faults(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            made: Iterable[cst.CSTNode] = operator(node)
            # One fault to a string is enough: nobody tests its capitals apart.
            yield from list(made)[:1] if operator is operator_string else made
    yield from _reversed_condition(node)
    yield from _dropped_statement(node)


def _reversed_condition(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """`if a` as `if not (a)`, where no other fault turns the condition round."""
    if not isinstance(node, cst.If | cst.While | cst.CompIf):
        return
    test = node.test
    is_turned = isinstance(test, cst.UnaryOperation) or (
        isinstance(test, cst.Comparison)
        and isinstance(test.comparisons[-1].operator, _ALREADY_REVERSED)
    )
    if not is_turned:
        inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(cst.Not(), inner))


def _dropped_statement(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A call for its effect, or a refusal, that does not happen."""
    if isinstance(node, cst.Raise) or m.matches(node, m.Expr(m.Call() | m.Await())):
        yield cst.Pass()


def _only_words(old: cst.CSTNode, new: cst.CSTNode) -> bool:
    """Whether just the sentence of an error changes: its words are for people."""
    if isinstance(old, cst.Call) and isinstance(new, cst.Call):
        words = [arg for arg in old.args if m.matches(arg.value, _STRING)]
        return not all(any(arg is kept for kept in new.args) for arg in words)
    return bool(m.matches(old, _STRING))


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _change(before: str, after: str) -> str:
    """The lines that differ, before => after, without their indentation."""
    old, new = before.splitlines(), after.splitlines()
    removed, added = [], []
    for line in difflib.unified_diff(old, new, n=0):
        if line.startswith("-") and not line.startswith("---"):
            removed.append(line[1:].strip())
        elif line.startswith("+") and not line.startswith("+++"):
            added.append(line[1:].strip())
    return " => ".join(" ".join(filter(None, part)) or _NOTHING for part in (removed, added))
