import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from postern import sodium

LOAD_FROM_RBCL = """
import ctypes, pathlib, sys, warnings
warnings.simplefilter("error")
from postern import sodium
sodium._SYSTEM_NAMES = ("libsodium-that-is-not-there.so",)
library = sodium.load()
print(sodium.version(library))
buffer = (ctypes.c_char * 32)()
library.crypto_core_ristretto255_scalar_random(buffer)  # it still works without its file
print(len(set(buffer.raw)) > 1)
"""


def run_in_its_own_process(directory: Path, code: str) -> list[str]:
    """The lines that Python prints; its temporary files go to the directory."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(directory), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


def system_library_in(directory: Path) -> Path:
    """A libsodium under a name of its own, as a system might have it."""
    code = (
        "import rbcl._sodium as carried, sys\n"
        "sys.stdout.write(sys.modules['rbcl._sodium'].lib_path)"
    )
    (lib_path,) = run_in_its_own_process(directory, code)
    return Path(shutil.move(lib_path, directory / "libsodium.so"))


def test_without_a_system_library_the_one_of_rbcl_is_used_and_leaves_no_file(
    tmp_path: Path,
) -> None:
    version, works = run_in_its_own_process(tmp_path, LOAD_FROM_RBCL)
    assert version.endswith("(rbcl)")
    assert works == "True"
    assert list(tmp_path.iterdir()) == []


def test_the_system_library_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(system_library_in(tmp_path))
    monkeypatch.setattr(sodium, "_SYSTEM_NAMES", ("libsodium-that-is-not-there.so", name))
    library = sodium.load()
    assert library._name == name
    assert sodium.version(library).endswith("(system)")


def test_the_library_of_rbcl_keeps_its_own_argument_types() -> None:
    ours = sodium.load_rbcl()
    theirs = sys.modules["rbcl._sodium"]._sodium
    assert ours.crypto_core_ristretto255_add.argtypes is not None
    assert theirs.crypto_core_ristretto255_add.argtypes is None


def test_a_library_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sodium, "_SYSTEM_NAMES", (str(system_library_in(tmp_path)),))
    assert sodium.load_system()
    monkeypatch.setattr(sodium, "_OLDEST", (1000, 0))
    with pytest.raises(sodium.SodiumUnavailableError, match="libsodium23"):
        sodium.load_system()


def test_a_library_without_ristretto255_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sodium, "_SYSTEM_NAMES", (str(system_library_in(tmp_path)),))
    monkeypatch.setattr(sodium, "_SIGNATURES", {"crypto_core_ristretto255_in_no_release": 1})
    with pytest.raises(sodium.SodiumUnavailableError, match="libsodium23"):
        sodium.load_system()
    with pytest.raises(sodium.SodiumUnavailableError, match="without ristretto255"):
        sodium.load()


def test_when_no_library_can_be_loaded_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sodium, "_SYSTEM_NAMES", ())
    monkeypatch.setitem(sys.modules, "rbcl._sodium", None)
    with pytest.raises(sodium.SodiumUnavailableError, match="Install libsodium on the system"):
        sodium.load()
