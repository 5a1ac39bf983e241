"""Small files that stand for very much, made byte by byte: workbooks and Parquet."""

import gzip
import struct
import zipfile
from pathlib import Path

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OPEN = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text")
)
_SECTOR = 512  # bytes
_FREE, _END, _IS_TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def workbook(path: Path, rows: str, **more: bytes) -> Path:
    """An .xlsx with one sheet of these rows, and other parts."""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="rows" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | more).items():
            archive.writestr(name, content)
    return path


def cell(place: str, text: str) -> str:
    """One row with one cell of an .xlsx."""
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{place}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def open_workbook(path: Path, *rows: tuple[str, int, int]) -> Path:
    """An .ods; of each row the text of its cells, how many it has, and how often it stands."""
    told = "".join(
        f'<table:table-row table:number-rows-repeated="{times}"><table:table-cell '
        f'table:number-columns-repeated="{columns}" office:value-type="string">'
        f"<text:p>{text}</text:p></table:table-cell></table:table-row>"
        for text, columns, times in rows
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content{_OPEN}><office:body><office:spreadsheet>"
            f'<table:table table:name="rows">{told}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def old_workbook(
    path: Path, *cells: tuple[int, int, float], strings: int = 0, is_endless: bool = False
) -> Path:
    """An .xls (BIFF8) with numbers at (row, column), counted from 0.

    `strings` is how many texts it says that it has; of them it holds none. With `is_endless` its
    last sector says that the first one follows.
    """
    begin = _record(0x809, struct.pack("<HHHHII", 0x600, 0x5, 0, 1997, 0, 6))
    texts = _record(0xFC, struct.pack("<II", strings, strings)) if strings else b""
    name = bytes([4, 0]) + b"rows"
    end = _record(0x0A, b"")
    offset = len(begin + texts + end) + len(_record(0x85, bytes(6) + name))
    sheet = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 1997, 0, 6))
    numbers = b"".join(
        _record(0x203, struct.pack("<HHHd", row, column, 0, value)) for row, column, value in cells
    )
    listed = _record(0x85, struct.pack("<IH", offset, 0) + name)
    stream = begin + texts + listed + end + sheet + numbers + end
    path.write_bytes(_compound(stream, is_endless=is_endless))
    return path


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _compound(stream: bytes, *, is_endless: bool) -> bytes:
    """A compound file (MS-CFB) that holds one stream called Workbook."""
    padded = stream.ljust(4096, b"\0")
    padded += bytes(-len(padded) % _SECTOR)
    count = len(padded) // _SECTOR
    table = [_IS_TABLE, _END, *range(3, 2 + count), 2 if is_endless else _END]
    table += [_FREE] * (_SECTOR // 4 - len(table))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<I", 0) + b"\xff" * 432
    entries = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, 2, len(padded))
    return header + struct.pack("<128I", *table) + entries.ljust(_SECTOR, b"\0") + padded


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    told = name.encode("utf-16-le")
    return (
        told.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(told) + 2, kind, 1, _FREE, _FREE, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def parquet(
    path: Path,
    texts: bytes,
    *,
    rows: int,
    columns: int = 0,
    page_says: int | None = None,
    group_says: int | None = None,
) -> Path:
    """A .parquet of `rows` times one text in all of its columns, whose dictionary it holds once.

    Its columns are three that a manifest needs, and so many more.

    `page_says` is how long the page of the dictionary says that it is unpacked, `group_says` how
    many rows the file says that it has.
    """
    plain = struct.pack("<I", len(texts)) + texts
    packed = _gzip(plain)
    dictionary = _thrift(
        (1, 5, 2),
        (2, 5, len(plain) if page_says is None else page_says),
        (3, 5, len(packed)),
        (7, 12, _thrift((1, 5, 1), (2, 5, 0))),
    )
    values = b"\x01" + _varint(rows << 1) + b"\x00"  # of one bit: one run of the first text
    values_packed = _gzip(values)
    page = _thrift(
        (1, 5, 0),
        (2, 5, len(values)),
        (3, 5, len(values_packed)),
        (5, 12, _thrift((1, 5, rows), (2, 5, 8), (3, 5, 3), (4, 5, 3))),
    )
    chunk = dictionary + packed + page + values_packed
    told = rows if group_says is None else group_says
    names = [*(b"item_id", b"posted_on", b"contents"), *(b"c%d" % n for n in range(columns))]
    schema = [_thrift((4, 8, b"rows"), (5, 5, len(names)))]
    schema += [_thrift((1, 5, 6), (3, 5, 0), (4, 8, name), (6, 5, 0)) for name in names]
    chunks = [
        _chunk(name, told, len(chunk), len(plain), len(dictionary + packed)) for name in names
    ]
    group = _thrift((1, 9, chunks), (2, 6, len(plain)), (3, 6, told))
    footer = _thrift((1, 5, 1), (2, 9, schema), (3, 6, told), (4, 9, [group]))
    path.write_bytes(b"PAR1" + chunk + footer + struct.pack("<I", len(footer)) + b"PAR1")
    return path


def _chunk(name: bytes, rows: int, packed: int, plain: int, first_page: int) -> bytes:
    told = _thrift(
        (1, 5, 6),
        (2, 9, [8]),
        (3, 9, [name]),
        (4, 5, 2),
        (5, 6, rows),
        (6, 6, plain),
        (7, 6, packed),
        (9, 6, 4 + first_page),
        (11, 6, 4),
    )
    return _thrift((2, 6, 4), (3, 12, told))


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 1)


def _thrift(*fields: tuple[int, int, object]) -> bytes:
    """A struct in Thrift's compact protocol: number, type and content of each field."""
    written, before = b"", 0
    for number, kind, content in fields:
        written += bytes([(number - before) << 4 | kind]) + _content(content)
        before = number
    return written + b"\0"


def _content(content: object) -> bytes:
    """Of a struct its bytes as they are; texts stand in `list`s and as names, which end so."""
    if isinstance(content, int):
        return _varint(content << 1)
    if isinstance(content, list):
        kind = 5 if isinstance(content[0], int) else 12 if content[0].endswith(b"\0") else 8
        size = bytes([min(len(content), 15) << 4 | kind])
        size += _varint(len(content)) if len(content) >= 15 else b""
        return size + b"".join(map(_content, content))
    assert isinstance(content, bytes)
    return content if content.endswith(b"\0") else _varint(len(content)) + content


def _varint(number: int) -> bytes:
    written = b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])
