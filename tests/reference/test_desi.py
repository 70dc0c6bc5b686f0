"""DESI, a survey that happened: what is published of it against the scenario `desi-main`.

Thirty nights of autumn, at statistical fidelity, for what follows from rules; five years for dates.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray

import wstdes
from wstdes.errors import ConfigError
from wstdes.facility import build, load
from wstdes.study.run import Run

SAME_FIELD_S = 70.0
NEW_FIELD_S = 139.0
ENOUGH = 0.85
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def validate() -> ModuleType:
    """The script that prints the tables of the documentation."""
    path = Path(__file__).resolve().parents[2] / "analysis" / "validate.py"
    spec = importlib.util.spec_from_file_location("validate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["validate"] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def autumn(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("desi") / "autumn"
    return wstdes.run("desi-main", nights=30, out=out, overrides=["start=2021-10-01"])


def columns(run: Run, table: str, *names: str) -> list[Array]:
    found = run.table(table, list(names))
    return [np.array(found.column(name).to_pylist(), dtype=np.float64) for name in names]


def test_the_shutter_is_open_for_nine_tenths_of_what_is_observed(
    autumn: Run, validate: ModuleType
) -> None:
    """DESI says 90 % routinely. A dark visit of 1,400 s has 91 %, a bright one of 600 s 81 %; how
    many there are of each depends on the weather at new and at full Moon: 4 % in a month.
    """
    assert validate.open_shutter(autumn) == pytest.approx(0.90, abs=0.04)


def test_from_shutter_to_shutter_it_takes_what_desi_takes(autumn: Run) -> None:
    """70 s in a field; 139 s to the next, as far as the slew is hidden by the positioners."""
    visit, opened, closed = columns(
        autumn, "exposures", "visit", "shutter_open_s", "shutter_close_s"
    )
    slew = dict(zip(*columns(autumn, "visits", "visit", "slew_s"), strict=True))
    gap, same = opened[1:] - closed[:-1], visit[1:] == visit[:-1]
    assert same.sum() > 20
    assert gap[same] == pytest.approx(SAME_FIELD_S, abs=1e-3)
    hidden = ~same & (np.array([slew[v] for v in visit[1:]]) <= 49.0 + 1e-3) & (gap < 600.0)
    assert hidden.sum() > 20
    assert np.median(gap[hidden]) == pytest.approx(NEW_FIELD_S, abs=0.5)
    assert (gap[~same] >= NEW_FIELD_S - 49.0 - 1e-3).all()


def test_a_tile_is_observed_until_it_has_its_time_and_no_more(autumn: Run) -> None:
    """A tile with 85 % of its effective time is not observed again, whoever had its fibres."""
    names = [s for s in autumn.scenario.surveys if s in ("dark", "bright")]
    goals = {s: autumn.scenario.surveys[s].tile_effective_s or 0.0 for s in names}
    visit, *light = columns(autumn, "exposures", "visit", "signal", "sky", "open_shutter_s")
    effective = light[0] ** 2 / light[1] * light[2]  # the sky's noise alone
    passed = np.array(autumn.table("verdicts").column("passed").to_pylist(), dtype=bool)
    order = dict(zip(columns(autumn, "verdicts", "exposure")[0], passed, strict=True))
    good = np.array([order.get(e, True) for e in columns(autumn, "exposures", "exposure")[0]])
    given = np.bincount(visit[good].astype(int), effective[good])
    number, tile = columns(autumn, "visits", "visit", "tile")
    before: dict[int, float] = {}
    served = tiles_of(autumn)
    for v, t in zip(number.astype(int), tile.astype(int), strict=True):
        assert before.get(t, 0.0) < ENOUGH * goals[served[t]] + 2.0
        before[t] = before.get(t, 0.0) + (given[v] if v < len(given) else 0.0)
    done = np.mean([g >= ENOUGH * goals[served[t]] for t, g in before.items()])
    assert done > 0.9  # the rest was cut by cloud, faults, mornings


def tiles_of(run: Run) -> dict[int, str]:
    """The survey that each tile serves: passes serve one alone."""
    table = run.table("coverage", ["tile", "survey"]).to_pylist()
    return {row["tile"]: row["survey"] for row in table}


def test_programmes_keep_to_their_sky(autumn: Run) -> None:
    """Dark tiles under less than 2.5 times the dark sky, bright ones above, as it was expected.

    The sky is looked up for some 20 min later and written down at the start: around moonset and in
    twilight a visit begins under another sky than it was chosen for.
    """
    served = tiles_of(autumn)
    tile, sky = columns(autumn, "visits", "tile", "sky")
    dark = np.array([served[int(t)] == "dark" for t in tile])
    known = np.isfinite(sky)
    assert np.mean(sky[dark & known] < 2.5) > 0.85
    assert np.mean(sky[~dark & known] > 2.5) > 0.8
    assert np.median(sky[dark & known]) < 1.6


def test_a_facility_without_hr_and_ifs_reports_neither(autumn: Run) -> None:
    assert set(autumn.table("exposures").column("mode").to_pylist()) == {"lr"}
    assert set(autumn.table("fibres").column("mode").to_pylist()) == {"lr"}
    assert not [name for name in autumn.summary if "ifs" in name or "_hr" in name]


def test_full_moons_belong_to_the_engineers(autumn: Run) -> None:
    """Four nights at each full Moon, one of which falls into this month."""
    table = autumn.table("nights").filter(pc.not_equal(autumn.table("nights").column("closed"), ""))
    lit = np.array(table.column("moon_illumination").to_pylist())
    assert len(lit) == 4
    assert lit.min() > 0.94


def test_desis_own_tiles_are_read_with_their_programmes(reference: Path) -> None:
    """8,038 dark, 2,005 grey and 6,028 bright ones: grey are dark tiles since 2021."""
    path = reference / "desi" / "tile-info.fits"
    parts = build(load("desi-tiles", overrides=[f"tiles.path={path}"])).parts
    names = list(parts.survey_names)
    inside = parts.tiling.inside
    assert len(parts.tiling) == 16071
    assert inside[:, names.index("dark")].sum() == 8038 + 2005
    assert inside[:, names.index("bright")].sum() == 6028
    assert np.isfinite(parts.tiling.design_ha_rad).all()
    assert np.median(parts.tiling.extinction_mag) == pytest.approx(2.165 * 0.0347, rel=0.2)


def test_the_covering_has_as_many_tiles_as_desi_planned() -> None:
    """Within 3 % in each programme: the footprint is two caps, and DESI's has ragged borders."""
    parts = build(load("desi-main")).parts
    inside = parts.tiling.inside
    names = list(parts.survey_names)
    assert inside[:, names.index("dark")].sum() == pytest.approx(10043, rel=0.03)
    assert inside[:, names.index("bright")].sum() == pytest.approx(6028, rel=0.03)
    assert (inside.sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("tiles.passes_of.grey=2", "there is no survey 'grey'"),
        ("tiles.passes=3", "say the same thing"),
        ("focal_plane.hr_fibres=100", "hr_fibres"),
        ("surveys.dark.mode=hr", "no spectrographs of the mode 'hr'"),
    ],
)
def test_what_does_not_fit_the_facility_is_refused(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load("desi-main", overrides=[override])


@pytest.mark.slow
def test_the_dark_programme_ends_when_desi_said(tmp_path: Path, validate: ModuleType) -> None:
    """Planned for five years, 7 % ahead of it after 1.1 (Schlafly et al. 2023): 4.67 years.

    Weather alone makes a year vary by 7 %, five of them by 3 %; throughput, dust and the Moon's
    light are known to 10 %: half a year.
    """
    run = wstdes.run("desi-main", out=tmp_path / "desi")
    assert validate.years_to("dark", 0.99)(run) == pytest.approx(4.67, abs=0.5)
    assert validate.open_shutter(run) == pytest.approx(0.90, abs=0.03)
    assert validate.dome_closed(run) == pytest.approx(0.318, abs=0.04)
    assert validate.lost_whole(run) == pytest.approx(51 / 293, abs=0.06)
