"""What keeps a survey from being finished: how much faster it would be without each limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from wstdes.clock import DAY_S, YEAR_S, Clock
from wstdes.models.sky import Horizon
from wstdes.study.columns import Floats, Ints, floats, ints, texts
from wstdes.study.coverage import Coverage, Tiles, coverage, tiles
from wstdes.study.merit import Curve, completeness
from wstdes.study.run import Run

__all__ = ["FINISHED", "Limit", "limits"]

FINISHED = 0.99
"""A survey with this share of its targets finished is not asked what stopped it."""
LAST_NIGHTS = 365
"""Nights at the end of the run that the rate is taken from."""
EXHAUSTED = 0.005
"""With less than this share of the targets left in tiles, the rest is out of reach of them."""
_MOST_TILES = 150
_HOUR_S = 3600.0
_LOST = ("weather", "fault", "closed")


@dataclass(frozen=True)
class Limit:
    """What holds a survey back. All hours are of the last year of the run, or of all of it.

    Parameters
    ----------
    survey : str
        Its name.
    nights : int
        Nights that are counted.
    share : float
        Completeness at the end of the run.
    left : float
        Targets not finished then.
    rate_per_yr : float
        Targets finished in those nights [1/yr].
    end_s : float or None
        When all would be finished at that rate, in seconds of the run; None: never.
    in_tiles : float
        Share of its targets that tiles still wait for.
    night_h, usable_h : float
        Time with the Sun below the science limit; and without weather, faults and closures [h].
    open_h, sky_h, up_h, used_h : float
        Open-shutter time of all visits; of those under a sky that the survey takes; of these, with
        an unfinished tile of it in the telescope's reach; and of those in which it had fibres (or
        the integral field) [h].
    wanted, assigned : float
        Its targets in those fields, and its fibres, both times hours [h]; 0 for fields.
    needed_s, given_s : float
        Effective time that a target needs, and that a visit gave to one, in the mean [s].
    factors : dict of str to float
        How many times faster it would be without each limit: weather, sky, visibility, others,
        fibres, depth.
    binding : str
        The limit with the greatest factor; or ``reach`` if its tiles have nothing more to give.
    """

    survey: str
    nights: int
    share: float
    left: float
    rate_per_yr: float
    end_s: float | None
    in_tiles: float
    night_h: float
    usable_h: float
    open_h: float
    sky_h: float
    up_h: float
    used_h: float
    wanted: float
    assigned: float
    needed_s: float
    given_s: float
    factors: dict[str, float]
    binding: str


def limits(run: Run) -> dict[str, Limit]:
    """What holds back each survey that is not finished.

    Parameters
    ----------
    run : Run
        With at least one night.

    Returns
    -------
    dict of str to Limit
        Surveys without tiles, and finished ones, are left out.
    """
    of, curves = coverage(run), completeness(run)
    names = [n for n, c in curves.items() if n in of and c.share[-1] < FINISHED]
    if not names:
        return {}
    last = _LastYear(run)
    return {n: last.limit(n, curves[n], of[n]) for n in names}


class _LastYear:
    """The last nights of a run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.tiles: Tiles = tiles(run)
        self.first = max(0, run.nights - LAST_NIGHTS)
        self.nights = run.nights - self.first
        use = run.table("time_use", ["night", "start_s", "end_s", "state"])
        use = use.filter(pc.greater_equal(use.column("night"), self.first))
        state = texts(use, "state")
        hours = (floats(use, "end_s") - floats(use, "start_s")) / _HOUR_S
        self.night_h = float(hours[state != "twilight"].sum())
        self.usable_h = self.night_h - float(hours[np.isin(state, _LOST)].sum())
        visits = run.table("visits")
        visits = visits.filter(pc.greater_equal(visits.column("night"), self.first))
        visits = visits.filter(pc.greater(visits.column("exposures"), 0))
        self.visit, self.tile = ints(visits, "visit"), ints(visits, "tile")
        self.pointing = ints(visits, "pointing")
        self.sky, self.t_s = floats(visits, "sky"), floats(visits, "start_s")
        self.hours = np.nan_to_num(floats(visits, "open_shutter_s")) / _HOUR_S
        given = run.table("assignments")
        self.given = given.filter(pc.is_in(given.column("visit"), visits.column("visit")))

    def limit(self, name: str, curve: Curve, of: Coverage) -> Limit:
        """What holds a survey back."""
        rules = self.run.scenario.surveys[name]
        dark = (self.sky >= rules.sky_brightness_min) & (self.sky <= rules.sky_brightness_max)
        used, wanted, assigned, spectra = self._used(name, of)
        up = used | (dark & self._up(of))
        dark |= used
        open_h, sky_h, up_h, used_h = (
            float(self.hours[m].sum()) for m in (self.hours >= 0.0, dark, up, used)
        )
        whole = self.run.table("progress", ["night", "survey", "effective_s"])
        effective = floats(whole.filter(pc.equal(whole.column("survey"), name)), "effective_s")
        before = effective[self.first - 1] if self.first else 0.0
        given_s = (float(effective[-1]) - float(before)) / spectra if spectra else 0.0
        done = float(curve.completed[-1] - curve.completed[self.first])
        rate = done / (self.nights * DAY_S)
        needed_s = rules.required_s
        if not needed_s and curve.completed[-1] > 0:  # a goal: what the finished ones have taken
            needed_s = float(effective[-1] / max(curve.completed[-1], 1.0))
        left = max(0.0, curve.targets - float(curve.completed[-1]))
        in_tiles = float(of.remaining.sum() / of.total.sum()) if of.total.sum() else 0.0
        factors = {
            "weather": _times(self.night_h, self.usable_h),
            "sky": _times(open_h, sky_h),
            "visibility": _times(sky_h, up_h),
            "others": _times(up_h, used_h),
            "fibres": _times(wanted, assigned),
            "depth": max(1.0, _times(needed_s, given_s)),
        }
        binding = max(factors, key=lambda k: factors[k])
        return Limit(
            name, self.nights, float(curve.share[-1]), left, rate * YEAR_S,
            float(curve.t_s[-1]) + left / rate if rate > 0 else None, in_tiles,
            self.night_h, self.usable_h, open_h, sky_h, up_h, used_h, wanted, assigned,
            needed_s, given_s, factors, "reach" if in_tiles < EXHAUSTED else binding,
        )  # fmt: skip

    def _used(self, name: str, of: Coverage) -> tuple[np.ndarray, float, float, float]:
        """Visits that served it, its targets and fibres in them [h], and spectra taken.

        An integral field is exposed through all visits of a stay, and belongs to the first.
        """
        if self.run.scenario.surveys[name].mode == "ifs":
            seen = self.run.table("exposures", ["visit", "mode"])
            seen = seen.filter(pc.equal(seen.column("mode"), "ifs"))
            there = np.isin(self.visit, ints(seen, "visit")) & np.isin(self.tile, of.tile)
            stays = np.isin(self.pointing, self.pointing[there])
            return stays, 0.0, 0.0, float(there.sum())
        mine = self.given.filter(pc.equal(self.given.column("survey"), name))
        visit, assigned = ints(mine, "visit"), floats(mine, "assigned")
        served = assigned > 0
        hours = self.hours[np.searchsorted(self.visit, visit[served])]
        wanted = float((floats(mine, "wanted")[served] * hours).sum())
        used = np.isin(self.visit, visit[served])
        return used, wanted, float((assigned[served] * hours).sum()), float(assigned.sum())

    def _up(self, of: Coverage) -> np.ndarray:
        """Visits during which an unfinished tile of it was in the telescope's reach."""
        scenario = self.run.scenario
        site, telescope = scenario.site, scenario.telescope
        open_ = of.tile[of.remaining > EXHAUSTED * np.maximum(of.total, 1e-9)]
        some: Ints = open_[:: max(1, len(open_) // _MOST_TILES)]
        if not len(some) or not len(self.t_s):
            return np.zeros(len(self.t_s), dtype=np.bool_)
        clock = Clock(scenario.start, site.longitude_rad)
        horizon = Horizon(site.latitude_rad, site.longitude_rad, site.height_m)
        day, part = clock.ut1_jd(self.t_s)
        altitude: Floats = horizon.altaz(
            self.tiles.ra_rad[some][None, :],
            self.tiles.dec_rad[some][None, :],
            (day, np.asarray(part)[:, None]),
        )[0]
        low = 0.5 * np.pi - telescope.zenith_distance_max_rad
        return np.asarray(((altitude > low) & (altitude < telescope.altitude_max_rad)).any(axis=1))


def _times(whole: float, part: float) -> float:
    """How many times the part the whole is: 1 if there is no whole, without end if no part."""
    if not whole:
        return 1.0
    return whole / part if part else float("inf")
