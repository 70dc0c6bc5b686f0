"""Planning ahead: a programme solved by hand, and a season that greed cannot finish."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from wstdes.config.base import PolicyRef
from wstdes.errors import RunError
from wstdes.kernel.state import load_state, save_state
from wstdes.policies import make_policy
from wstdes.policies.design import design_hour_angles
from wstdes.policies.season import Season, season_bound, solve_programme
from wstdes.policies.slots import (
    Classes,
    Programme,
    Slots,
    Work,
    pressure,
    programmes,
    typical_sky,
)
from wstdes.policies.views import SeasonPlan, SeasonView, SkyView, SurveyView

HOUR = np.pi / 12.0
EARLY_HA, FLEXIBLE_HA = 3.0 * HOUR, 1.5 * HOUR
TILES = 20


def policy(use: str, **options: Any) -> Any:
    return make_policy("scheduling", PolicyRef.model_validate({"use": use, "options": options}))


def signal(x: Any) -> Any:
    return np.asarray(x, dtype=np.float64) ** -0.5


# A programme by hand ----------------------------------------------------------------------------


def by_hand() -> Season:
    """Hours: an early class that only the first slot has, one for both, one for the second.

    The first slot's hour goes half to the first class and half to the second, whose other half
    takes an hour of the second slot, where it gets on half as fast: 2 h. The third takes 1 h.
    """
    needed = np.array([[0.5], [1.0], [1.0]]) * 3600.0
    zeros = np.zeros(3)
    return Season(
        Classes(np.arange(3), zeros, zeros, needed, needed / 360.0),
        Slots(
            np.array([1.0, 3.0]) * 3600.0, np.ones(2), zeros[:2], np.ones(2), np.ones((2, 1), bool)
        ),
        np.array([[0, 0], [1, 0], [1, 1], [2, 1]]),
        np.array([[1.0], [1.0], [0.5], [1.0]]),
    )


@pytest.mark.parametrize("solver", ["glop", "pdlp"])
def test_a_season_solved_by_hand(solver: str) -> None:
    season = by_hand()
    found = season.solve(0.0, 10.0, solver)
    assert found.objective == pytest.approx(3.0, abs=1e-4)
    assert found.values == pytest.approx([0.5, 0.5, 1.0, 1.0, 0, 0, 0], abs=1e-3)
    # More work of the first or second class takes two hours each; of the third, one. An hour
    # more in the first slot would spare two in the second.
    assert found.duals == pytest.approx([2.0, 2.0, 1.0, -1.0, 0.0], abs=1e-3)
    assert season.most(solver) == pytest.approx(1.0, abs=1e-4)


def test_what_time_does_not_allow_is_left_undone_for_a_fine() -> None:
    season = by_hand()
    short = replace(season, slots=replace(season.slots, time_s=np.array([900.0, 3600.0])))
    # A quarter of the first class; the second class alone could use the second slot at half
    # speed, so the third has it: 1.25 of 2.5 h of work are done.
    assert short.most() == pytest.approx(0.5)
    found = short.solve(0.0, 10.0)
    assert found.values[4:] == pytest.approx([0.25, 1.0, 0.0])
    assert found.duals[:3] == pytest.approx([10.0, 10.0, 5.0])


def test_a_programme_without_a_solution_is_said() -> None:
    matrix = csr_matrix([[1.0]])
    with pytest.raises(RunError, match="no solution"):
        solve_programme(np.ones(1), matrix, np.array([2.0]), np.array([1.0]))


# A season that greed cannot finish --------------------------------------------------------------


@dataclass
class Kept:
    plan: SeasonPlan | None = None


@dataclass
class Toy:
    """Two visits a night, of an hour: flexible tiles can have either, early ones the first.

    There is just time for all, if flexible tiles, which are worth more, wait for the second hour.
    """

    nights: int = TILES + 1
    left: np.ndarray = field(
        default_factory=lambda: np.repeat(np.eye(2), TILES, axis=0)  # flexible, early
    )

    def __post_init__(self) -> None:
        first = 0.5 * HOUR  # sidereal time of the first hour; the second is three hours later
        ra = np.repeat([first + FLEXIBLE_HA, first - EARLY_HA], TILES)
        self.ra, self.dec = np.mod(ra, 2 * np.pi), np.zeros(2 * TILES)
        self.lst = np.array([first, first + 2 * FLEXIBLE_HA])
        required = [3600.0 * float(signal(1.0 / np.cos(h))) for h in (FLEXIBLE_HA, EARLY_HA)]
        self.surveys = tuple(
            SurveyView(name, "lr", 1.0, weight, 0.99 * needed, "source", 0.0, 1e3, -0.3)
            for name, weight, needed in zip("fe", (1.1, 1.0), required, strict=True)
        )

    def season(self, night: int = 0) -> SeasonView:
        nights = self.nights - night
        shape = (nights, 2)
        return SeasonView(
            night=night,
            nights=nights,
            latitude_rad=0.0,
            altitude_min_rad=0.5,
            altitude_max_rad=1.57,
            surveys=self.surveys,
            ra_rad=self.ra,
            dec_rad=self.dec,
            remaining=self.left,
            total=np.ones_like(self.left),
            time_s=np.zeros(shape),
            step_s=np.full(nights, 3600.0),
            lst_rad=np.broadcast_to(self.lst, shape),
            sky=np.ones(shape),
            sun_altitude_rad=np.full(shape, -0.5),
            open_share=np.ones(nights),
            visit_s=3600.0,
            open_s=3600.0,
            fibres={"lr": 1},
            floors={"lr": 0.0},
            signal_of_airmass=signal,
        )

    def view(self, night: int, lst: float, plan: SeasonPlan | None) -> SkyView:
        angle = np.mod(lst - self.ra + np.pi, 2 * np.pi) - np.pi
        up = np.flatnonzero((np.cos(angle) > 0.48) & self.left.any(axis=1))
        one = np.ones(len(up))
        return SkyView(
            now_s=0.0,
            until_s=3600.0,
            night=night,
            sun_altitude_rad=-0.5,
            surveys=self.surveys,
            tiles=up,
            ra_rad=self.ra[up],
            dec_rad=self.dec[up],
            remaining=self.left[up],
            total=np.ones((len(up), 2)),
            urgency=np.ones((len(up), 2)),
            altitude_rad=np.arcsin(np.cos(angle[up])),
            airmass=1.0 / np.cos(angle[up]),
            hour_angle_rad=angle[up],
            moon_separation_rad=one,
            signal=signal(1.0 / np.cos(angle[up])),
            sky=one,
            visit_s=3600.0 * one,
            open_s=3600.0 * one,
            slew_s=0.0 * one,
            visits=np.zeros(len(up), np.int64),
            fibres={"lr": 1},
            floors={"lr": 0.0},
            plan=plan,
        )

    def run(self, scheduler: Any) -> list[int | None]:
        plan, chosen = None, []
        for night in range(self.nights):
            if scheduler.due(night, plan):
                plan = scheduler.plan(self.season(night))
            for lst in self.lst:
                decision = scheduler.choose(self.view(night, float(lst), plan))
                chosen.append(decision.tile)
                if decision.tile is not None:
                    self.left[decision.tile] = 0.0
        return chosen


def test_what_costs_the_season_nothing_is_still_observed() -> None:
    """Prices are 0 where the plan has time to spare: better than an idle telescope."""
    toy = Toy()
    plan = policy("look-ahead").plan(toy.season())
    free = replace(plan, arrays=plan.arrays | {"price": np.zeros_like(plan.arrays["price"])})
    assert policy("look-ahead").choose(toy.view(0, float(toy.lst[0]), free)).tile is not None


def test_look_ahead_finishes_a_season_that_greed_cannot() -> None:
    greedy, ahead = Toy(), Toy()
    greedy.run(policy("merit"))
    ahead.run(policy("look-ahead", period_nights=5, replan_nights=7))
    # Greed does all flexible tiles in ten nights, then an early one a night.
    assert greedy.left.sum() == TILES - (Toy().nights - TILES // 2)
    assert ahead.left.sum() == 0


def test_a_design_finishes_it_too_and_takes_the_users_own() -> None:
    toy = Toy()
    design = design_hour_angles(toy.season())
    assert design[:TILES] == pytest.approx(np.full(TILES, FLEXIBLE_HA), abs=0.51 * HOUR)
    assert design[TILES:] == pytest.approx(np.full(TILES, EARLY_HA), abs=0.51 * HOUR)
    toy.run(policy("design-hour-angle"))
    assert toy.left.sum() == 0
    given = np.full(2 * TILES, np.nan)
    given[3] = -0.7
    plan = policy("design-hour-angle").plan(replace(toy.season(), design_ha_rad=given))
    assert plan.arrays["design_ha_rad"][3] == -0.7
    assert np.isfinite(plan.arrays["design_ha_rad"]).all()


def test_a_design_fills_each_hour_with_what_it_holds() -> None:
    toy = Toy(nights=12)
    toy.ra[:] = 6.5 * HOUR
    toy.left = np.repeat([[1.0, 0.0]], 2 * TILES, axis=0)
    hours = np.arange(4.5, 9.5) * HOUR
    view = toy.season()
    view = replace(
        view,
        lst_rad=np.broadcast_to(hours, (12, 5)),
        sky=np.ones((12, 5)),
        sun_altitude_rad=np.full((12, 5), -0.5),
        time_s=np.zeros((12, 5)),
        step_s=np.full(12, 2400.0),
        altitude_max_rad=1.6,
        signal_of_airmass=np.ones_like,
        surveys=tuple(replace(s, required_s=3600.0) for s in toy.surveys),
    )
    lst = (design_hour_angles(view) + toy.ra) / HOUR
    counts, _ = np.histogram(lst, np.arange(4.0, 9.5))
    assert counts.tolist() == [8] * 5  # twelve nights of 40 min are eight visits of an hour


def test_plans_are_the_same_twice_and_survive_the_disk(tmp_path: Path) -> None:
    for use, options in (("look-ahead", {}), ("design-hour-angle", {}), ("merit", {"balance": 1})):
        scheduler = policy(use, **options)
        one, two = scheduler.plan(Toy().season()), scheduler.plan(Toy().season())
        save_state(tmp_path, {"observer": Kept(one)}, 3)
        states, _ = load_state(tmp_path, {"observer": Kept})
        read = states["observer"].plan
        for other in (two, read):
            assert other.night == one.night
            assert other.numbers == one.numbers
            assert list(other.arrays) == list(one.arrays)
            for name, values in one.arrays.items():
                assert values.tobytes() == other.arrays[name].tobytes()
        assert Toy().run(scheduler) == Toy().run(scheduler)


def test_the_bound_of_a_season_is_two_tiles_a_night() -> None:
    half, most = season_bound(Toy().season(), (0.5, 1.0))
    assert half == pytest.approx(TILES / 2, abs=1.0)
    assert most == pytest.approx(TILES, abs=1.0)
    closed = replace(Toy().season(), open_share=np.full(Toy().nights, 0.5))
    assert season_bound(closed, (1.0,)) == [np.inf]


def test_nothing_left_or_no_time_is_planned_too() -> None:
    done = Toy(left=np.zeros((2 * TILES, 2))).season()
    shut = replace(Toy().season(), step_s=np.zeros(Toy().nights))
    for view in (done, shut):
        for use in ("look-ahead", "design-hour-angle", "merit"):
            plan = policy(use).plan(view)
            assert all(np.isfinite(values).all() for values in plan.arrays.values())


# Slots and work ----------------------------------------------------------------------------------


def test_programmes_that_share_fibres_and_time_add_up() -> None:
    """Dark time serves both, so all it has to hold is dark's own; any time has to hold both."""
    dark = SurveyView("dark", "lr", 2.0, 1.0, 1000.0, "sky", 0.0, 1.5, -0.3)
    any_ = SurveyView("any", "lr", 1.0, 1.0, 400.0, "sky", 0.0, 1e3, -0.3)
    groups = programmes((dark, any_, replace(dark, name="other", required_s=700.0)))
    assert [g.surveys for g in groups] == [(0, 2), (1,)]
    assert groups[0].within(groups[1])
    assert not groups[1].within(groups[0])
    toy = Toy().season()
    view = replace(
        toy,
        surveys=(dark, any_, replace(dark, required_s=700.0)),
        remaining=np.array([[30.0, 50.0, 10.0], [1.0, 0.0, 0.0]]),
        fibres={"lr": 20},
    )
    work = Work.of(view, groups)
    # 30 x 1000 + 10 x 700 over 20 fibres; 50 x 400 more for any time.
    assert work.needed_s == pytest.approx(np.array([[1850.0, 2850.0], [1000.0, 0.0]]))
    assert work.worth == pytest.approx(np.array([[40.0, 50.0], [1.0, 0.0]]))


def test_what_dust_takes_is_made_good_by_time() -> None:
    """Half of the light: four times as long against the sky's noise, twice against its own."""
    view = Toy().season()
    noises = zip(view.surveys, ("sky", "source"), strict=True)
    view = replace(view, surveys=tuple(replace(s, noise=n) for s, n in noises))
    groups = programmes(view.surveys)
    dusty = replace(view, dimming=np.full(len(view.ra_rad), 0.5))
    clear, found = (Work.of(v, groups).needed_s for v in (view, dusty))
    assert clear.any(axis=0).all()
    assert found[:, 0] == pytest.approx(4.0 * clear[:, 0])
    assert found[:, 1] == pytest.approx(2.0 * clear[:, 1])


def test_what_no_night_can_do_spoils_no_price() -> None:
    """A tile behind a wall of dust, and work that is worth nothing, are not planned."""
    view = Toy().season()
    dimming = np.ones(len(view.ra_rad))
    dimming[0] = 1e-80
    clear, dusty = (policy("look-ahead").plan(replace(view, dimming=d)) for d in (None, dimming))
    assert dusty.arrays["price"][1:] == pytest.approx(clear.arrays["price"][1:], rel=0.1)
    vain = replace(view, surveys=tuple(replace(s, weight=0.0) for s in view.surveys))
    assert np.isfinite(policy("look-ahead").plan(vain).arrays["price"]).all()


def test_slots_hold_all_the_time_that_anyone_can_use() -> None:
    rng = np.random.default_rng(1)
    view = replace(
        Toy().season(),
        lst_rad=rng.uniform(0, 6.28, (TILES + 1, 2)),
        sky=rng.uniform(0.9, 6.0, (TILES + 1, 2)),
        open_share=rng.uniform(0, 1, TILES + 1),
    )
    groups = (
        Programme((0,), "lr", "sky", 0.0, 2.0, -0.3),
        Programme((1,), "lr", "sky", 1.5, 4.0, -0.3),
    )
    slots = Slots.cut(view, groups, 24, np.array([0.0, 10.0]))
    usable = (view.sky <= 4.0) * (view.step_s * view.open_share)[:, None]
    assert slots.time_s.sum() == pytest.approx(usable.sum())
    for number, group in enumerate(groups):
        mine = usable * ((view.sky >= group.sky_min) & (view.sky <= group.sky_max))
        assert slots.time_s[slots.allowed[:, number]].sum() == pytest.approx(mine.sum())
    assert ((slots.after_nights < 10.0) | (slots.after_nights > 10.0)).all()


def test_pressure_is_greater_where_more_is_left() -> None:
    found = pressure(Toy().season())
    assert found[0] != found[-1]
    assert (found > 0).all()


def test_a_typical_sky_is_bright_with_moon_and_sun() -> None:
    sky = typical_sky(
        np.radians([-10.0, 40.0, 40.0, -10.0]),
        np.radians([0.0, 0.0, 90.0, 0.0]),
        np.radians([-40.0, -40.0, -40.0, -12.0]),
        0.1,
        21.6,
    )
    assert sky[0] == pytest.approx(1.2)
    assert sky[1] > sky[2] > 1.2
    assert sky[3] > 2.0


def test_twilight_is_as_bright_over_a_darker_sky_as_it_is() -> None:
    """It is the Sun's light, not a share of the dark sky's: half a magnitude darker, so much
    more."""
    night, low = np.radians([-40.0]), np.radians([-12.0])
    over = []
    for dark_mag in (21.6, 22.1):
        sky = [typical_sky(low, low, sun, 0.12, dark_mag)[0] for sun in (night, low)]
        over.append(sky[1] - sky[0])
    assert over[1] / over[0] == pytest.approx(10.0**0.2)
