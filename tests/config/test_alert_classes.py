"""Classes of alerts that contradict themselves are refused, with what was meant."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from wstdes.errors import ConfigError
from wstdes.facility import build, load

BURST = "alerts.prompt.burst={count: 20, radius: 4 deg}"
FOLLOW = "alerts.prompt.follow_up={{visits: {}, interval: {}, tolerance: {}}}"


def said(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        build(load("small", overrides=overrides))
    return str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        (["alerts.prompt.path=mine.csv"], "path says when alerts come in, and so does rate"),
        (["alerts.prompt.path=mine.csv", "alerts.prompt.rate=0 / d", BURST], "so does burst"),
        (["alerts.prompt.columns={ra: RA}"], "columns are for the file of a path"),
        ([f"alerts.prompt.by_hour={[0] * 24}"], "by_hour is 0 throughout"),
        (["alerts.prompt.by_month=[1, 2, 3]"], "alerts.prompt.by_month"),
        (["alerts.prompt.burst={count: 1, radius: 4 deg}"], "alerts.prompt.burst.count"),
        (["alerts.prompt.burst={count: 9, radius: 4}"], "alerts.prompt.burst.radius"),
        ([FOLLOW.format(3, "1 d", "1 d")], "a tolerance as long as the interval is no cadence"),
        ([FOLLOW.format(1, "1 d", "1 h")], "alerts.prompt.follow_up.visits"),
        (["alerts.prompt.drop_out=2"], "alerts.prompt.drop_out"),
        (["alerts.prompt.drop_out=-1 / d"], "alerts.prompt.drop_out"),
    ],
)
def test_what_is_wrong_is_named(overrides: list[str], what: str) -> None:
    assert what in said(*overrides)


def test_a_class_says_how_its_alerts_come_in(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "extends: small\nname: mine\nalerts:\n  new: {title: New, response: insert, lifetime: 1 d,"
        " target_response: 1 d, exposures: 1}\n"
    )
    with pytest.raises(ConfigError, match="give rate, or the path of a file"):
        load(mine)


def test_a_file_without_alerts_in_the_run_is_refused_by_its_dates(tmp_path: Path) -> None:
    scenario = load("small").scenario
    late = scenario.start + dt.timedelta(days=scenario.nights + 2)
    file = tmp_path / "late.csv"
    file.write_text(f"time,ra,dec\n{late}T03:00:00,10,-20\n")
    text = said("alerts.prompt.rate=0 / d", f"alerts.prompt.path={file}")
    assert "alerts.prompt.path" in text
    assert f"none of 1 alerts, {late} to {late}, comes in during the run" in text
    assert "set the scenario's start and nights" in text


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = said("alerts.prompt.rate=0 / d", f"alerts.prompt.path={tmp_path}/none.csv")
    assert "none.csv: no such file" in text
