"""What this room keeps for the life of the process: the duties that the other rooms register."""

from flask import Flask

from app.jobs.service import Duties
from app.runtime import Runtime


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.add(Duties())
