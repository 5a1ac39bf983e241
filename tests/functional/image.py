"""The image of deploy/Containerfile without a container engine: its files, and processes of it.

What the recipe copies is copied, the pinned packages alone are laid out as its environment, and a
command runs in a mount and PID namespace of its own with that as root: read-only, as the recipe's
user, without capabilities and with the variables of the recipe. Of Compose the same is taken:
commands, volumes and file systems in memory. Root is needed for that, or `sudo`, as for a package.
"""

import compileall
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.supply_chain import pins

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "deploy" / "Containerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
_PATIENCE = 30  # seconds
_STARTED = 120  # seconds that a command may take with all that it imports
_BOUND = ("/usr", sys.base_prefix, sys.prefix)
_LINKED = ("bin", "sbin", "lib", "lib64")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_ETC = ("ld.so.cache", "ssl", "nsswitch.conf", "hosts", "localtime")

_ENTER = """set -eu
R=$1; shift
mount --bind "$R" "$R"
for each in $BOUND; do
    mount --bind "$each" "$R$each"; mount -o remount,bind,ro "$R$each"
done
for each in $ETC; do [ ! -e "/etc/$each" ] || mount --bind -o ro "/etc/$each" "$R/etc/$each"; done
mount -t tmpfs -o mode=755,size=64k,nosuid tmpfs "$R/dev"
for each in $DEVICES; do : > "$R/dev/$each"; mount --bind "/dev/$each" "$R/dev/$each"; done
mkdir "$R/dev/shm"
mount -t tmpfs -o mode=1777,size=64m,noexec,nosuid,nodev tmpfs "$R/dev/shm"
mount -o remount,ro "$R/dev"
mount -t proc proc "$R/proc"
for each in $MEMORY; do mount -t tmpfs -o "${each#*:}" tmpfs "$R${each%%:*}"; done
for each in $VOLUMES; do
    from=${each%%:*}; rest=${each#*:}; to=${rest%%:*}; how=${rest#*:}
    if [ -d "$from" ]; then mkdir -p "$R$to"; else mkdir -p "$R${to%/*}"; : > "$R$to"; fi
    mount --bind "$from" "$R$to"
    [ "$how" != ro ] || mount -o remount,bind,ro "$R$to"
done
mount -o remount,bind,ro "$R"
exec env -i $VARIABLES "$(command -v chroot)" "$R" /usr/bin/setpriv --reuid "$OWNER" \\
    --regid "$OWNER" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
    env -C "$PLACE" "$@"
"""


@dataclass(frozen=True)
class Recipe:
    """What the last stage of the recipe says."""

    copied: tuple[str, ...]
    place: str
    variables: Mapping[str, str]
    user: int
    command: tuple[str, ...]

    @staticmethod
    def read() -> "Recipe":
        """The recipe of this repository."""
        text = RECIPE.read_text().replace("\\\n", " ")
        built, _, last = text.rpartition("\nFROM ")
        variables = dict(
            each.split("=", 1)
            for line in re.findall(r"^ENV (.*)$", last, re.MULTILINE)
            for each in shlex.split(line)
        )
        variables["PATH"] = variables["PATH"].replace("$PATH", "/usr/local/bin:/usr/bin:/bin")
        (user,) = re.findall(r"^USER (\d+):\d+$", last, re.MULTILINE)
        (place,) = re.findall(r"^WORKDIR (\S+)$", last, re.MULTILINE)
        (command,) = re.findall(r"^CMD (\[.*\])$", last, re.MULTILINE)
        copied = [
            name
            for line in re.findall(r"^COPY (?!--from)(.*)$", built, re.MULTILINE)
            for name in line.split()[:-1]
        ]
        return Recipe(tuple(copied), place, variables, int(user), tuple(json.loads(command)))


def services() -> Mapping[str, Mapping[str, object]]:
    """The services of Compose by name, each with all that it has in common with the others."""
    found: Mapping[str, Mapping[str, object]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


@dataclass(frozen=True)
class Process:
    """One process of the image; `told` is the file of what it says."""

    pid: int
    told: Path
    starter: "subprocess.Popen[bytes]"

    def status(self, field: str) -> str:
        """A line of /proc/PID/status, without its name."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        (found,) = re.findall(rf"^{field}:\t(.*)$", text, re.MULTILINE)
        return str(found)

    def end(self) -> int:
        """How it ends when it is asked to."""
        _as_root("kill", f"-{int(signal.SIGTERM)}", str(self.pid))
        return self.starter.wait(_PATIENCE)


class Image:
    """The files of the image below a folder, and processes with them as their root."""

    def __init__(self, folder: Path) -> None:
        self.recipe = Recipe.read()
        self.root = folder / "root"
        home = self.root / self.recipe.place.lstrip("/")
        home.mkdir(parents=True)
        for name in self.recipe.copied:
            _copy(ROOT / name, home / name)
        for name in ("app", "postern"):  # as the recipe does
            compileall.compile_dir(home / name, quiet=1)
        _environment(home / ".venv", f"{self.recipe.place}/.venv")
        for name in ("proc", "dev", "tmp", "run", "etc", "var/lib/postern", "etc/postern"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for bound in _BOUND:
            (self.root / bound.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for name in _LINKED:
            if Path("/", name).is_symlink():
                (self.root / name).symlink_to(Path("/", name).readlink())
        for name in _ETC:
            if Path("/etc", name).is_dir():
                (self.root / "etc" / name).mkdir()
            elif Path("/etc", name).exists():
                (self.root / "etc" / name).touch()
        (self.root / "etc/passwd").write_text("nonroot:x:65532:65532::/:/usr/sbin/nologin\n")
        (self.root / "etc/group").write_text("nonroot:x:65532:\n")

    @contextmanager
    def running(
        self,
        service: str,
        volumes: Sequence[str],
        *,
        command: Sequence[str] = (),
        **variables: str,
    ) -> Iterator[Process]:
        """A service of Compose, or another command as that service; ended with the block.

        `volumes` are as those of Compose, from folders of this machine.
        """
        told = self.root.parent / f"{service}.log"
        with told.open("ab") as said:
            starter = subprocess.Popen(
                self._entering(service, volumes, command, variables),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        number = 0
        try:
            number = _child_of(starter, told)
            yield Process(number, told, starter)
        finally:
            # Whoever changes its user is no longer ended with the one that began it.
            if number and starter.poll() is None:
                _as_root("kill", f"-{int(signal.SIGKILL)}", str(number))
            starter.kill()
            starter.wait(_PATIENCE)

    def answer(self, service: str, volumes: Sequence[str], *command: str) -> tuple[int, str]:
        """Status and words of a command as that service."""
        ran = subprocess.run(
            self._entering(service, volumes, command, {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_STARTED,
            check=False,
        )
        return ran.returncode, ran.stdout

    def _entering(
        self,
        service: str,
        volumes: Sequence[str],
        command: Sequence[str],
        variables: Mapping[str, str],
    ) -> list[str]:
        told = services()[service]
        own = told.get("command") or self.recipe.command
        assert isinstance(own, list | tuple)
        memory = told["tmpfs"]
        assert isinstance(memory, list)
        environ = {
            "BOUND": " ".join(dict.fromkeys(_BOUND)),
            "ETC": " ".join(_ETC),
            "DEVICES": " ".join(_DEVICES),
            "MEMORY": " ".join(memory),
            "VOLUMES": " ".join(volumes),
            "VARIABLES": " ".join(
                f"{name}={value}" for name, value in {**self.recipe.variables, **variables}.items()
            ),
            "OWNER": str(self.recipe.user),
            "PLACE": self.recipe.place,
        }
        return [
            *_root_prefix(),
            "env",
            *(f"{name}={value}" for name, value in environ.items()),
            *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("sh", "-c", _ENTER, "enter", str(self.root)),
            *map(str, command or own),
        ]


def _copy(source: Path, target: Path) -> None:
    """As the recipe copies: without what .dockerignore leaves out."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    ignored = [line.removeprefix("**/") for line in lines if line.startswith("**/")]
    ignored.remove("__pycache__")  # the recipe makes them anew: what is up to date is the same
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(*ignored))
    else:
        shutil.copyfile(source, target)


def _environment(folder: Path, place: str) -> None:
    """A virtual environment of the pinned packages of requirements.txt and of nothing else."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(Path(sys.base_prefix, "bin", version))
    (folder / "pyvenv.cfg").write_text(f"home = {sys.base_prefix}/bin\n")
    for name in pins():
        distribution = importlib.metadata.distribution(name)
        for part in {each.parts[0] for each in distribution.files or ()} - {"..", "__pycache__"}:
            (packages / part).unlink(missing_ok=True)
            (packages / part).symlink_to(Path(str(distribution.locate_file(part))).resolve())
        for entry in distribution.entry_points.select(group="console_scripts"):
            script = folder / "bin" / entry.name
            script.write_text(
                f"#!{place}/bin/python\nimport sys\nfrom {entry.module} import {entry.attr}\n"
                f"sys.exit({entry.attr}())\n"
            )
            script.chmod(0o755)


def _child_of(starter: "subprocess.Popen[bytes]", told: Path) -> int:
    """The process number, seen from here, of what began the new namespace, once it is itself."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if starter.poll() is not None:
            raise AssertionError(told.read_text()[-2_000:])
        number = starter.pid
        with suppress(OSError):  # it became another one, or ended, meanwhile
            while children := Path(f"/proc/{number}/task/{number}/children").read_text().split():
                number = int(children[0])
                command = Path(f"/proc/{number}/cmdline").read_bytes()
                if b"/opt/postern/.venv/bin/python" in command.split(b"\0")[0]:
                    return number
        time.sleep(0.05)
    raise AssertionError(f"it did not begin: {told.read_text()[-2_000:]}")


def _root_prefix() -> tuple[str, ...]:
    return () if os.geteuid() == 0 else ("sudo", "--non-interactive")


def _as_root(*command: str) -> None:
    subprocess.run([*_root_prefix(), *command], check=True)
