"""How the documentation becomes a site: `make docs` builds it, and a page that is wrong ends it.

The pages are those of docs/, in the order and under the readers of docs/README.md. What is made
from the code stands beside them: every command with its options, the library, the interface.
"""

import re
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

SITE = Path(__file__).parent
sys.path[:0] = [str(SITE), str(SITE.parent.parent)]

from reference import interface  # noqa: E402

project = "Postern"
root_doc = "README"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries have no page here
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": True}
html_theme = "furo"
html_title = "Postern"
html_copy_source = False
html_extra_path = ["extra"]  # the address of the site itself leads to its first page
html_show_sphinx = False
html_show_copyright = False

_ROW = re.compile(r"^\| (?P<reader>[^|]+?) \| (?P<pages>[^|]*\.md[^|]*) \|$", re.MULTILINE)
_PAGE = re.compile(r"\]\(([a-z-]+)\.md\)")
_BESIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")
_BY_FILE = re.compile(r"\[[a-z-]+\.md\]\(([^)]+)\)")
_FROM_CODE = ["site/commands", "site/interface", "site/library"]


def with_contents(readme: str) -> str:
    """The first page with a table of contents for each of its readers; no page is in two."""
    told: set[str] = set()
    parts = [readme]
    for row in _ROW.finditer(readme):
        pages = [each for each in _PAGE.findall(row["pages"]) if each not in told]
        told.update(pages)
        if pages:
            parts.append(_contents(row["reader"].partition(":")[0].capitalize(), pages))
    return "\n\n".join([*parts, _contents("Reference, from the code", _FROM_CODE)])


def _contents(caption: str, pages: list[str]) -> str:
    head = ["```{toctree}", ":hidden:", ":maxdepth: 1", f":caption: {caption}", ""]
    return "\n".join([*head, *pages, "```"])


def _read(_app: Sphinx, page: str, source: list[str]) -> None:
    if page == root_doc:
        source[0] = with_contents(source[0])
    if page == "site/interface":
        source[0] = interface()
    source[0] = _BY_FILE.sub(r"[](\1)", source[0])  # a page is called by its title
    if not page.startswith("site/"):
        source[0] = _BESIDE.sub(r"\1", source[0])  # files of the tree that are no pages


def setup(app: Sphinx) -> None:
    """Called by Sphinx at the beginning of a build."""
    app.connect("source-read", _read)
    app.add_lexer("cedar", TextLexer)
