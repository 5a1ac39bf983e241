"""A platform that is backed up, and an empty database beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.config import Settings
from tests.app.backup import stage
from tests.app.backup.stage import Scene
from tests.app.exchange import SOPHIE, make_exchange, report
from tests.app.lively import HOME


@pytest.fixture
def scene(app: Flask, settings: Settings, tmp_path: Path) -> Scene:
    keys, other = (stage.make_keys(tmp_path / f"{name}.txt") for name in ("own", "other"))
    wanted = stage.backed_up(settings, tmp_path, keys, other)
    return Scene(make_exchange(app), wanted, keys, tmp_path)


@pytest.fixture
def target(scene: Scene) -> Iterator[str]:
    with stage.empty_beside(scene.settings, scene.folder) as url:
        yield url


@pytest.fixture
def small(scene: Scene) -> Scene:
    """A platform with one report, backed up."""
    scene.exchange.submit(HOME, report("R-1", scene.exchange.indicator(SOPHIE)))
    return scene
