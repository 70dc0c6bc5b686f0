"""The integral field is exposed through all visits of a stay: none of them is lost to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wstdes.study.limits import limits

if TYPE_CHECKING:
    from wstdes.study.run import Run


def test_hours_of_a_field_are_those_of_its_stays(small_run: Run) -> None:
    found = limits(small_run)["ifs-fields"]
    visits = small_run["visits"].to_pandas()
    fields = small_run["exposures"].to_pandas()
    fields = fields[fields["mode"] == "ifs"]
    alone = visits[visits.visit.isin(fields.visit)].open_shutter_s.sum() / 3600.0
    stays = visits[visits.visit.isin(fields.visit)].pointing
    hours = visits[visits.pointing.isin(stays)].open_shutter_s.sum() / 3600.0
    assert found.used_h == pytest.approx(hours)
    assert found.used_h > 1.2 * alone
