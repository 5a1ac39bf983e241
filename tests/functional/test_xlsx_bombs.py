"""Small workbooks that stand for very much, read as the pages' worker reads them.

Each is refused in words by a process that has far less memory than a browser gives to a tab: what
is not refused ends it, and the test fails.
"""

import json
import struct
import subprocess
from pathlib import Path

from tests.postern.bomb_files import cell, workbook

REHEARSAL = Path(__file__).with_name("xlsx_rehearsal.mjs")
_HEAP = "200"  # MiB beside the bytes of the files and their texts
_SECONDS = 60  # of processor time
_TWO = cell("A1", "item_id") + cell("A2", "R1")
_STRINGS, _STYLES = "xl/sharedStrings.xml", "xl/styles.xml"
_WORKBOOK, _TARGETS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def _lying(path: Path) -> Path:
    """A workbook of which a part unpacks to more than its list of contents says."""
    size = 120_000_000
    workbook(path, _TWO, **{_STYLES: b"<s>" + b" " * size})
    raw, told = path.read_bytes(), struct.pack("<I", size + 3)
    path.write_bytes(raw.replace(told, struct.pack("<I", 1_000)))
    return path


def _counted(text: str, count: int) -> bytes:
    return "".join(text.replace("#", str(number)) for number in range(count)).encode()


def made(folder: Path) -> dict[str, Path]:
    """Each bomb by the code with which it is refused and a name."""
    wide = "".join(f'<c r="A{n}"/>' for n in range(1, 300))
    shared = '<c t="s"><v>0</v></c>'
    parts: dict[str, tuple[str, dict[str, bytes]]] = {
        "read plain": (_TWO, {}),
        "bomb unpacked": (_TWO, {_STYLES: b" " * 100_000_001}),
        "overfull attributes": (
            _TWO,
            {_STYLES: b"<s><a " + _counted('a#="" ', 500_000) + b"/></s>"},
        ),
        "overfull depth": (_TWO, {_STYLES: b"<a>" * 2_000_000}),
        "overfull strings": (_TWO, {_STRINGS: b"<sst>" + b"<si/>" * 5_100_000 + b"</sst>"}),
        "overfull formats": (
            _TWO,
            {_STYLES: b"<s>" + _counted('<numFmt numFmtId="#"/>', 80_000) + b"</s>"},
        ),
        "overfull styles": (
            _TWO,
            {_STYLES: b"<s><cellXfs>" + b"<xf/>" * 80_000 + b"</cellXfs></s>"},
        ),
        "overfull targets": (
            _TWO,
            {_TARGETS: b"<R>" + _counted('<Relationship Id="r#"/>', 80_000) + b"</R>"},
        ),
        "overfull sheets": (_TWO, {_WORKBOOK: b"<w>" + b"<sheet/>" * 80_000 + b"</w>"}),
        "overfull merged": (_TWO + '<mergeCell ref="A1:B1"/>' * 80_000, {}),
        "overfull cell": (cell("A1", "item_id") + cell("A2", "x" * 40_000), {}),
        "overfull string": (_TWO, {_STRINGS: b"<sst><si><t>" + b"x" * 40_000 + b"</t></si></sst>"}),
        "overfull one text in all": (
            f"<row>{shared * 199}</row>" * 20,
            {_STRINGS: b"<sst><si><t>" + b"x" * 32_000 + b"</t></si></sst>"},
        ),
        "too-many-rows rows": ("<row/>" * 2_000_000, {}),
        "too-many-columns far": ('<row r="1"><c r="XFD1"/></row>', {}),
        "too-many-columns one place": (f'<row r="1">{wide}</row>', {}),
        "overfull parts": (_TWO, {f"p{number}": b"" for number in range(5_001)}),
    }
    files = {
        name: workbook(folder / f"{name}.xlsx", rows, **more)
        for name, (rows, more) in parts.items()
    }
    return {**files, "damaged-workbook by its word": _lying(folder / "lying.xlsx")}


def test_small_workbooks_of_very_much_are_refused_in_words(
    modules_tree: Path, tmp_path: Path
) -> None:
    files = made(tmp_path)
    ran = subprocess.run(
        [
            *("/bin/sh", "-c", f'ulimit -t {_SECONDS}; exec "$@"', "sh"),
            *("node", f"--max-old-space-size={_HEAP}", str(REHEARSAL), str(modules_tree)),
            *map(str, files.values()),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(told) == len(files), (list(files)[len(told)], ran.stderr[-500:])
    found = {name: each.get("code", "read") for name, each in zip(files, told, strict=True)}
    assert found == {name: name.split()[0] for name in files}
    assert all(each.get("told", "Read.").endswith(".") for each in told)
