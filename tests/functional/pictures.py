"""Pictures of pages for people to look at, kept where `--pictures DIRECTORY` says, if it does."""

from pathlib import Path

from playwright.sync_api import Page

_kept: list[Path] = []


def keep_pictures_in(directory: Path) -> None:
    """From now on keep pictures there; each costs the browser about as much as its page."""
    directory.mkdir(parents=True, exist_ok=True)
    _kept[:] = [directory]


def keep_picture(page: Page, name: str) -> None:
    """Save the whole page as it stands, under a name such as `search-fr-narrow`."""
    for directory in _kept:
        path = str(directory / f"{name}.png")
        page.screenshot(path=path, full_page=True, animations="disabled")
