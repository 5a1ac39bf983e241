"""A certified OpenID provider (npm `oidc-provider`) as a process of its own, on loopback."""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import requests

HERE = Path(__file__).parent
PATIENCE = 30  # seconds that an answer may take
_INSTALLING = 300  # seconds


@dataclass(frozen=True)
class Provider:
    """Where it is, and what the platform is there."""

    issuer: str
    client_id: str = "postern"
    browser: requests.Session = field(default_factory=requests.Session)  # of `leave`

    @property
    def secret(self) -> str:
        """With signs that a header or a form must quote."""
        return f"the secret of {self.client_id} & more"

    def answer(self, address: str, who: str, groups: str = "", amr: str = "") -> str:
        """Where the browser is sent back, after `who` has signed in at `address`."""
        with self.browser as browser:
            browser.cookies.clear()
            host = self.issuer.partition("://")[2].partition(":")[0]
            browser.cookies.set("who", quote(f"{who}|{groups}|{amr}"), domain=host)
            for _ in range(6):
                response = browser.get(address, allow_redirects=False, timeout=PATIENCE)
                assert response.is_redirect, response.text
                address = response.headers["Location"]
                if address.startswith("/"):
                    address = f"{self.issuer}{address}"
                if not address.startswith(self.issuer):
                    return address
        raise AssertionError("the provider never sent the browser back")

    def leave(self, address: str) -> str:
        """Where the browser of the last `answer` is sent back, after it signed out at `address`."""
        page = self.browser.get(address, timeout=PATIENCE)
        found = re.search(r'name="xsrf" value="([^"]+)"', page.text)
        assert found, page.text
        confirmed = self.browser.post(
            f"{self.issuer}/session/end/confirm",
            data={"xsrf": found.group(1), "logout": "yes"},
            allow_redirects=False,
            timeout=PATIENCE,
        )
        assert confirmed.is_redirect, confirmed.text
        return confirmed.headers["Location"]


@contextmanager
def running(redirect: str, left: str = "", told: str = "") -> Iterator[Provider]:
    """The provider, which sends browsers back to what begins with `redirect`, for the block.

    With `left` and `told` it takes sign-outs: it sends browsers to the one and tells the other.
    """
    _install()
    node = shutil.which("node")
    assert node, "run tests/install-node"
    with subprocess.Popen(
        [node, "provider.mjs", redirect, *([left, told] if left else [])],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        try:
            issuer = process.stdout.readline().strip()
            assert issuer.startswith("http://127.0.0.1:")
            yield Provider(issuer)
        finally:
            process.kill()


def _install() -> None:
    """Bring what the lock file names, once; a second process waits. `make test` does so before."""
    npm = shutil.which("npm")
    assert npm, "run tests/install-node"
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = HERE / "node_modules" / ".package-lock.json"
        if not done.exists():
            asked = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(asked, cwd=HERE, check=True, timeout=_INSTALLING, capture_output=True)


if __name__ == "__main__":
    _install()
