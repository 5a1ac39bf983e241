"""What this room keeps for the life of the process: the evaluator."""

from flask import Flask

from app.pseudonyms.evaluator import SingleKeyEvaluator
from app.runtime import Runtime


def start(_app: Flask, runtime: Runtime) -> None:
    runtime.add(SingleKeyEvaluator(runtime.secrets.evaluation))
