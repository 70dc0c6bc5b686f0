"""Surveys that contradict themselves are refused, with what was meant."""

from __future__ import annotations

import pytest

from wstdes.errors import ConfigError
from wstdes.facility import load


def said(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load("small", overrides=overrides)
    return str(caught.value)


def test_a_cadence_wants_a_time_that_can_be_split() -> None:
    text = said(
        "surveys.milky-way.cadence={visits: 2, interval: 10 d, tolerance: 4 d}",
        "surveys.milky-way.required=0 s",
        "surveys.milky-way.goal={snr: 10}",
    )
    assert "give required, not a goal" in text


def test_an_integral_field_is_done_by_its_own_time() -> None:
    text = said("surveys.ifs-fields.tile_effective=30 min")
    assert "tile_effective is for fibres" in text
    assert "surveys.ifs-fields" in text
