"""The shipped alerts as Prometheus itself reads them: each wakes somebody in time, and not before.

`promtool` loads deploy/alerts.yaml and runs every alert against series that are written here: one
beyond the threshold, which must fire when its `for` is over and not earlier, and one just within,
which must not fire in an hour more. Series are in promtool's notation: `5x60` is 5 for another 60
minutes, `0+60x60` grows by 60 a minute.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ALERTS = Path(__file__).parents[1] / "deploy" / "alerts.yaml"
LONG = 240  # minutes of each series: more than the longest `for` and an hour
HOUR = 60


@dataclass(frozen=True)
class Trial:
    """Series by their values, beyond and within; `labels` are those that the alert bears.

    `seen_after` is how many minutes the expression itself needs to see what is wrong.
    """

    beyond: Mapping[str, str]
    within: Mapping[str, str]
    labels: Mapping[str, str]
    seen_after: int = 0


def steady(name: str, beyond: float, within: float, **labels: str) -> Trial:
    """A gauge of which the alert keeps all labels."""
    told = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    series = f"{name}{{{told}}}"
    return Trial({series: f"{beyond}x{LONG}"}, {series: f"{within}x{LONG}"}, labels)


def summed(name: str, beyond: float, within: float, kept: str = "", **labels: str) -> Trial:
    """A gauge of two instances, of which the alert keeps one label or none."""
    found = steady(name, beyond, within, instance="a", **labels)
    return Trial(found.beyond, found.within, {kept: labels[kept]} if kept else {})


def growing(window: int, series: Mapping[str, tuple[float, float]]) -> Trial:
    """Counters by what they grow a minute, beyond and within; a rate is whole after its window."""
    beyond, within = (
        {name: f"0+{rates[place]}x{LONG}" for name, rates in series.items()} for place in (0, 1)
    )
    return Trial(beyond, within, {}, seen_after=window)


WEB = {"job": "postern-web", "instance": "a"}
TRIALS: Mapping[str, Trial] = {
    "PosternWebDown": steady("up", 0, 1, **WEB),
    "PosternMetricsDown": steady("up", 0, 1, job="postern-metrics", instance="a"),
    "PosternDatabaseDown": steady("postern_database_answers", 0, 1),
    "PosternFactsMissing": summed("postern_facts_missing", 1, 0, "group", group="log"),
    "PosternFactsOld": steady("postern_facts_age_seconds", 301, 299),
    "PosternFailing": growing(
        5, {'postern_errors_total{code="unexpected-error", instance="a"}': (1.3, 1.1)}
    ),
    "PosternUnavailable": growing(
        5,
        {
            'postern_requests_total{status="2xx"}': (97, 98.1),
            'postern_requests_total{status="5xx"}': (3, 1.9),
        },
    ),
    "PosternSlow": growing(
        10,
        {
            'postern_request_seconds_bucket{endpoint="lookups.ask", le="1.0"}': (94, 95.5),
            'postern_request_seconds_bucket{endpoint="lookups.ask", le="2.5"}': (100, 100),
            'postern_request_seconds_bucket{endpoint="lookups.ask", le="+Inf"}': (100, 100),
        },
    ),
    "PosternConnectionsSpent": Trial(
        {
            "postern_database_connections_used": f"10x{LONG}",
            "postern_database_connections_kept": f"11x{LONG}",
        },
        {
            "postern_database_connections_used": f"9x{LONG}",
            "postern_database_connections_kept": f"10x{LONG}",
        },
        {},
    ),
    "PosternWorkerLarge": Trial(
        {'postern_worker_memory_bytes{instance="a", pid="7"}': f"510000000x{LONG}"},
        {'postern_worker_memory_bytes{instance="a", pid="7"}': f"490000000x{LONG}"},
        {"instance": "a"},
    ),
    "PosternSignInsFail": growing(10, {'postern_errors_total{code="sign-in-needed"}': (66, 54)}),
    "PosternLogAlarm": steady("postern_log_open_alarms", 1, 0),
    "PosternLogStill": steady("postern_log_unplaced_seconds", 301, 299),
    "PosternCheckpointOld": steady("postern_log_checkpoint_age_seconds", 90_001, 89_999),
    "PosternWitnessesLate": summed("postern_witnesses", 1, 0, state="silent"),
    "PosternQuorumLost": Trial(
        {
            "postern_witness_quorum": f"2x{LONG}",
            "postern_witness_quorum_age_seconds": f"21601x{LONG}",
        },
        {
            "postern_witness_quorum": f"2x{LONG}",
            "postern_witness_quorum_age_seconds": f"21599x{LONG}",
        },
        {},
    ),
    "PosternJobsLate": summed("postern_outbox_due_seconds", 901, 899, topic="mail"),
    "PosternJobsDead": summed("postern_outbox_dead", 1, 0, "topic", topic="mail"),
    "PosternJobsPile": summed("postern_outbox_waiting", 10_001, 9_999, topic="mail"),
    "PosternDutyOverdue": summed(
        "postern_duty_overdue_seconds", 3_601, 3_599, "duty", duty="indicators.expire"
    ),
    "PosternDutyFailing": summed("postern_duty_failures", 3, 2, "duty", duty="indicators.expire"),
    "PosternErasureLate": summed(
        "postern_erasure_lag_seconds", 93_601, 93_599, "kind", kind="indicators"
    ),
    "PosternErasureStill": summed(
        "postern_erasure_lag_seconds", 259_201, 259_199, "kind", kind="indicators"
    ),
    "PosternSchemaOld": steady("postern_schema_matches", 0, 1),
    "PosternEpochClosed": summed("postern_key_epoch_open", 0, 1, "kind", kind="party"),
    "PosternEpochEnding": summed(
        "postern_key_epoch_left_seconds", 2_591_999, 2_592_001, "kind", kind="party"
    ),
    "PosternDiskTight": summed("postern_disk_free_ratio", 0.14, 0.16, "disk", disk="archive"),
    "PosternDiskFull": summed("postern_disk_free_ratio", 0.04, 0.06, "disk", disk="archive"),
    "PosternBackupOld": steady("postern_backup_age_seconds", 93_601, 93_599),
    "PosternBackupUnknown": steady("postern_backup_known", 0, 1),
    "PosternBackupUntried": steady("postern_backup_verified_age_seconds", 3_024_001, 3_023_999),
    "PosternReplicaLost": Trial(
        {"postern_replicas": f"2x60 1x{LONG}"}, {"postern_replicas": f"2x{LONG}"}, {}, seen_after=61
    ),
    "PosternReplicaLags": steady("postern_replica_lag_seconds", 61, 59),
    "PosternReplicaUnused": steady("postern_replica_usable", 0, 1),
}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_alert_is_tried() -> None:
    assert {rule["alert"] for rule in rules()} == set(TRIALS)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_fires_when_its_time_is_over_and_only_beyond_its_threshold(
    rule: dict[str, Any], tmp_path: Path
) -> None:
    trial, waits = TRIALS[rule["alert"]], minutes(rule["for"])
    fires = trial.seen_after + waits
    labels = {**trial.labels, **rule["labels"]}
    fired = {"exp_labels": labels, "exp_annotations": annotations(rule, trial.labels)}
    tests = [
        asked(rule, trial.beyond, {max(0, fires - trial.seen_after - 1): [], fires + 1: [fired]}),
        asked(rule, trial.within, {fires + HOUR: []}),
    ]
    if rule["alert"] == "PosternQuorumLost":  # without a quorum there is nothing to lose
        none = {**trial.beyond, "postern_witness_quorum": f"0x{LONG}"}
        tests.append(asked(rule, none, {fires + HOUR: []}))
    file = tmp_path / "trial.yaml"
    trials = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(trials))
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_shipped_rules() -> None:
    done = promtool("check", "rules", str(ALERTS))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(TRIALS)} rules found" in done.stdout


def asked(
    rule: Mapping[str, Any], series: Mapping[str, str], fired: Mapping[int, list[dict[str, Any]]]
) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": rule["alert"], "exp_alerts": alerts}
            for minute, alerts in fired.items()
        ],
    }


def annotations(rule: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, str]:
    """Those of a rule, with its labels written in."""
    found = dict(rule["annotations"])
    for label, value in labels.items():
        found = {
            name: re.sub(r"{{\s*\$labels\." + label + r"\s*}}", value, text)
            for name, text in found.items()
        }
    return found


def minutes(text: str) -> int:
    number, unit = int(text[:-1]), text[-1]
    return number * {"m": 1, "h": 60}[unit]


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
