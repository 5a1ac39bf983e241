"""What this room keeps for the life of the process: the evaluator, and the files of its keys."""

from pathlib import Path

from flask import Flask

from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.pseudonyms.holders import Holders
from app.pseudonyms.key_files import KeyFiles
from app.pseudonyms.rotation import RotationHooks
from app.runtime import Runtime


def start(_app: Flask, runtime: Runtime) -> None:
    files = KeyFiles(Path(runtime.settings.secrets.directory))
    runtime.add(files)
    runtime.add(RotationHooks())
    runtime.add(SingleKeyEvaluator(runtime.secrets.evaluation, files))
    runtime.add(Holders(runtime.settings.holders))
