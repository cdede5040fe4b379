"""Backups in the charts: off by default, one at a time, sealed, and read by the command that writes them."""

import re

from services.__main__ import _parser
from tests.contract.promql import alerting
from tests.contract.rendering import container, of_kind, rendered


def test_a_backup_is_taken_every_night_one_at_a_time_into_the_claim_and_sealed():
    (job,) = of_kind(rendered("backups"), "CronJob").values()
    assert job["spec"]["schedule"] == "15 2 * * *"
    assert job["spec"]["timeZone"] == "Etc/UTC"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 6 * 3600
    pod = job["spec"]["jobTemplate"]["spec"]["template"]
    told = _parser().parse_args(container(pod)["args"])
    mounts = {m["mountPath"]: m for m in container(pod)["volumeMounts"]}
    volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
    sets = mounts[str(told.folder)]
    assert not sets.get("readOnly")
    assert volumes[sets["name"]]["persistentVolumeClaim"] == {"claimName": "sets"}
    secret = volumes[mounts[str(told.passphrase_file.parent)]["name"]]["secret"]
    assert secret["secretName"] == "backup-passphrase"
    assert [item["path"] for item in secret["items"]] == [told.passphrase_file.name]


def test_nobody_backs_up_unless_somebody_wants_it():
    assert of_kind(rendered("production"), "CronJob") == {}


def test_the_alert_looks_at_the_job_that_there_is():
    (rule,) = [one for one in alerting() if one["alert"] == "BackupOld"]
    assert set(re.findall(r'cronjob="([^"]+)"', rule["expr"])) == set(
        of_kind(rendered("backups"), "CronJob")
    )
