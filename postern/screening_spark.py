"""Finding hits on a Spark cluster: the same expressions as on one machine, in Spark's SQL.

Worth its start and its many times dearer processor time only past one machine, or where data may
not leave the cluster. The manifest is prepared by DuckDB all the same; the cluster has to reach
the directory of results.
"""

import os
from collections.abc import Sequence
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

from postern.manifest_errors import ScreeningMissingError
from postern.patterns.compiling import CANDIDATES, CROWDED, MANIFEST, Dialect, compiled
from postern.patterns.model import Filter, Rule

LOCAL = "local[*]"
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "8",
    # One expression for all rules is too large a method for the compiler of Java.
    "spark.sql.codegen.wholeStage": "false",
}


class Spark:
    """A session on a master; None is this machine. It ends with each call."""

    def __init__(self, master: str | None = None, settings: dict[str, str] | None = None) -> None:
        self._master = master or LOCAL
        self._settings = _SETTINGS | (settings or {})
        self._grouping = (settings or {}).get("spark.sql.codegen.wholeStage", "true")

    def find(
        self, manifest: Path, rules: Sequence[Rule], filters: Sequence[Filter], target: Path
    ) -> None:
        """Write the hits of a prepared manifest as Parquet. Raises ScreeningMissingError."""
        plan = compiled(rules, filters, Dialect.SPARK)
        session = self._session()
        try:
            session.read.parquet(str(manifest)).createOrReplaceTempView(MANIFEST)
            candidates = target.with_name("candidates")
            session.sql(plan.candidates).write.parquet(str(candidates))
            session.conf.set("spark.sql.codegen.wholeStage", self._grouping)
            session.read.parquet(str(candidates)).createOrReplaceTempView(CANDIDATES)
            frames = [] if plan.single is None else [session.sql(plan.single)]
            for group in plan.groups:
                session.sql(group.crowded).createOrReplaceTempView(CROWDED)
                frames.append(session.sql(group.hits()))
            reduce(lambda one, other: one.unionAll(other), frames).write.parquet(str(target))
        finally:
            session.stop()

    def _session(self) -> Any:
        try:
            sql = import_module("pyspark.sql")
        except ImportError:
            raise ScreeningMissingError("pyspark") from None
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = sql.SparkSession.builder.master(self._master).appName("postern")
        for name, setting in self._settings.items():
            builder = builder.config(name, setting)
        return builder.getOrCreate()
