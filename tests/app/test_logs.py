"""Logs are one JSON object a line, and an exception never brings its message along."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from app.config import LogSettings
from app.logs import configure_logs

SECRET = "Musterstrasse 12"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    structlog.contextvars.clear_contextvars()
    yield
    structlog.reset_defaults()
    logging.root.handlers, logging.root.level = handlers, level


def test_an_event_is_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings(level="INFO", format="json"))
    structlog.get_logger("any").info("duty done", duty="sweep", count=3)
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "duty done", "duty": "sweep", "count": 3, "level": "info"}


def test_the_reference_of_the_request_stands_in_every_event(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs(LogSettings(level="INFO", format="json"))
    with structlog.contextvars.bound_contextvars(request_id="r-12345678"):
        structlog.get_logger("own").info("mine")
        logging.getLogger("a.library").warning("theirs")
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(event["event"], event["request_id"]) for event in events] == [
        ("mine", "r-12345678"),
        ("theirs", "r-12345678"),
    ]


@pytest.mark.parametrize("way", ["own, given", "own, current", "a library"])
def test_an_exception_is_told_without_its_message(
    capsys: pytest.CaptureFixture[str], way: str
) -> None:
    configure_logs(LogSettings(level="INFO", format="json"))
    try:
        _fail()
    except ValueError as error:
        if way == "own, given":
            structlog.get_logger("own").error("failed", exc_info=error)
        elif way == "own, current":
            structlog.get_logger("own").exception("failed")
        else:
            logging.getLogger("a.library").exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert event["exception"] == "ValueError"
    assert "_fail" in event["frames"][-1]
    assert SECRET not in line


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings(level="WARNING", format="json"))
    structlog.get_logger("own").info("quiet")
    logging.getLogger("a.library").info("quiet")
    structlog.get_logger("own").warning("loud")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_the_console_format_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings(level="INFO", format="console"))
    structlog.get_logger("own").info("duty done", count=3)
    written = capsys.readouterr().err
    assert "duty done" in written
    assert "count=3" in written
    with pytest.raises(json.JSONDecodeError):
        json.loads(written)


def test_logs_go_to_standard_error_and_leave_standard_output_alone() -> None:
    program = (
        "from app.config import LogSettings; from app.logs import configure_logs; import structlog;"
        "configure_logs(LogSettings('INFO', 'json')); structlog.get_logger('x').info('told')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
    assert json.loads(ran.stderr)["event"] == "told"


def _fail() -> None:
    raise ValueError(SECRET) from KeyError(SECRET)
