"""Pictures of pages, kept under build/pictures for people to look at."""

from pathlib import Path

from playwright.sync_api import Page

KEPT = Path(__file__).parents[2] / "build" / "pictures"


def keep_picture(page: Page, name: str) -> Path:
    """Save the whole page as it stands, under a name such as `search-fr-narrow`."""
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{name}.png"
    page.screenshot(path=str(kept), full_page=True, animations="disabled")
    return kept
