"""Metrics in tests: a secret that opens them, and what they say."""

import re
from collections.abc import Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app.secret_files import METRICS_KEY

KEY = "0123456789abcdef0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {KEY}"}

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def write_metrics_key(directory: Path) -> None:
    """Let whoever starts with these secrets tell metrics to who presents KEY."""
    file = directory / f"{METRICS_KEY}.key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)


def read(text: str) -> Samples:
    """Every sample of an exposition, by its name and labels; it must be well-formed."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def names(text: str) -> set[str]:
    """The names of the samples that an exposition may have, whether or not it has any yet."""
    found = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        found.add(name)
        if kind == "histogram":
            found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return found
