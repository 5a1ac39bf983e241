"""What a figure was measured on: every benchmark prints it beside its figures."""

import os
import platform
import ssl
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from postern import group, sodium

_LIBRARIES = ("cryptography", "flask", "psycopg", "rbcl", "sqlalchemy")


def machine(*distributions: str) -> dict[str, object]:
    """The processor, its cores, Python and the versions of libraries; no name of the host.

    `distributions` adds the versions of other installed packages, such as a benchmark's peers.
    """
    return {
        "cpu": _processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "cores_usable": _usable_cores(),
        "memory_mib": _memory(),
        "system": platform.system(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "openssl": ssl.OPENSSL_VERSION,
        "libsodium": sodium.version(group.library()),
        "libraries": _versions((*_LIBRARIES, *distributions)),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo")
    if lines.exists():
        for line in lines.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _usable_cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory() -> int | None:
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return None


def _versions(distributions: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for distribution in distributions:
        try:
            found[distribution] = version(distribution)
        except PackageNotFoundError:
            found[distribution] = "not installed"
    return found
