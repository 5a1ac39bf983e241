"""The rules of the normaliser, as data.

Python and JavaScript read the same JSON. Nothing here may depend on Unicode tables or on a locale
of the machine; every regular expression is ASCII.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any


@cache
def table(name: str) -> Mapping[str, Any]:
    """The rules in `<name>.json`, read once.

    Raises FileNotFoundError when there is no such table: a broken installation.
    """
    text = resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))
