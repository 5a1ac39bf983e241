"""Answers compressed for the way, where their length then tells nobody anything.

The pages' own files are the same for everybody: they are compressed once for each process. A page
is compressed only when nothing of its address could stand in it: where a person's secret (a form's
token, a name) and something that an attacker chose are compressed together, the length of the
answer tells how much of the two agrees (BREACH, CVE-2013-3587). So no page that was asked with a
query, sent as a form, or refused is compressed.
"""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

_FILES = frozenset({"application/javascript", "image/svg+xml", "text/css", "text/javascript"})
_FILES_OF_FACTS = frozenset({"application/json"})  # such as the outlines of countries
_PUBLIC = frozenset({"interface.docs", "interface.openapi"})
_LEAST = 1024  # bytes; less is not worth the header
_ONCE, _EACH_TIME = 9, 6  # levels of gzip


def install_compression(app: Flask) -> None:
    """Compress what may be, for browsers that take gzip (RFC 9110, section 8.4.1.3)."""

    @app.after_request
    def compress(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 304:  # noqa: PLR2004
            response.close()  # nothing reads the file that the view has opened
        if not _may_be_compressed(response):
            return response
        response.vary.add("Accept-Encoding")
        is_whole = response.status_code == 200 and request.method == "GET"  # noqa: PLR2004
        if is_whole and request.accept_encodings.quality("gzip") > 0:
            _squeeze(response, app)
        return response


def _may_be_compressed(response: Response) -> bool:
    if request.endpoint == "static":
        return response.mimetype in _FILES | _FILES_OF_FACTS
    is_page = response.mimetype == "text/html" and request.method in {"GET", "HEAD"}
    return request.endpoint in _PUBLIC or (is_page and not request.query_string)


def _squeeze(response: Response, app: Flask) -> None:
    if request.endpoint == "static" and app.static_folder is not None:
        # The view has found it within the folder already.
        path = Path(app.static_folder) / (request.view_args or {})["filename"]
        squeezed = _of_file(path, path.stat().st_mtime_ns)
    else:
        squeezed = gzip.compress(response.get_data(), _EACH_TIME, mtime=0)
    if len(squeezed) < _LEAST:
        return
    tag, _ = response.get_etag()
    response.close()  # the file that the view may have opened
    response.direct_passthrough = False
    response.set_data(squeezed)
    response.headers["Content-Encoding"] = "gzip"
    if tag:
        # The same content in another coding: its validator is a weak one.
        response.set_etag(tag, weak=True)


@lru_cache(maxsize=256)
def _of_file(path: Path, _changed: int) -> bytes:
    """Compressed; made anew when the file changed."""
    return gzip.compress(path.read_bytes(), _ONCE, mtime=0)
