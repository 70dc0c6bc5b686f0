"""Policies: worked out by hand, ties and extremes, and how they are found and checked."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.config.base import PolicyRef
from wstdes.config.tree import Document
from wstdes.errors import ConfigError
from wstdes.policies import BUILT_IN, check_policies, known_policies, make_policy
from wstdes.policies.scheduling import tile_gain
from wstdes.policies.views import (
    AlertView,
    JobView,
    PowerView,
    ProductView,
    SiteLoad,
    SkyView,
    SurveyView,
)


def policy(kind: str, use: str, **options: object):
    return make_policy(kind, PolicyRef.model_validate({"use": use, "options": options}))


WIDE = SurveyView("wide", "lr", 3.0, 1.0, 2000.0, "sky", 0.0, 1e3, -0.26)
DEEP = SurveyView("deep", "lr", 5.0, 6.0, 8000.0, "sky", 0.0, 1.5, -0.26)
BRIGHT = SurveyView("bright", "hr", 1.0, 2.0, 1000.0, "source", 0.0, 1e3, -0.26)
FIELDS = SurveyView("fields", "ifs", 1.0, 500.0, 4000.0, "sky", 0.0, 1e3, -0.26)


def sky(tiles: int, surveys: tuple[SurveyView, ...], remaining: list[list[float]]) -> SkyView:
    one, left = np.ones(tiles), np.array(remaining, dtype=np.float64)
    return SkyView(
        now_s=0.0,
        until_s=30000.0,
        night=0,
        sun_altitude_rad=-0.5,
        surveys=surveys,
        tiles=np.arange(tiles),
        ra_rad=0.1 * np.arange(tiles),
        dec_rad=np.zeros(tiles),
        remaining=left.reshape(tiles, len(surveys)),
        total=left.reshape(tiles, len(surveys)).copy(),
        urgency=np.ones((tiles, len(surveys))),
        altitude_rad=one.copy(),
        airmass=one.copy(),
        hour_angle_rad=np.zeros(tiles),
        moon_separation_rad=one.copy(),
        signal=one.copy(),
        sky=one.copy(),
        visit_s=1200.0 * one,
        open_s=1000.0 * one,
        slew_s=np.zeros(tiles),
        visits=np.zeros(tiles, dtype=np.int64),
        fibres={"lr": 100, "hr": 10, "ifs": 1},
        floors={"lr": 0.0, "hr": 0.0, "ifs": 0.0},
    )


# Scheduling -----------------------------------------------------------------------------------


def test_gain_of_one_tile_worked_out_by_hand() -> None:
    """100 LR fibres: deep (priority 5) takes 30, wide gets 70 of its 90; HR has 10 for 25.

    signal 0.8, sky 1.25: sky-limited rate 0.512, source-limited rate 0.8; 1000 s open.
    deep 6 x 30 x 512/8000 + wide 1 x 70 x 512/2000 + bright 2 x 10 x 800/1000 + fields
    500 x 512/4000 = 11.52 + 17.92 + 16 + 64 = 109.44.
    """
    view = sky(1, (WIDE, DEEP, BRIGHT, FIELDS), [[90, 30, 25, 1]])
    view = replace(view, signal=np.array([0.8]), sky=np.array([1.25]))
    assert tile_gain(view) == pytest.approx([109.44])
    decision = policy("scheduling", "merit").choose(replace(view, slew_s=np.array([120.0])))
    assert decision.tile == 0
    assert decision.score == pytest.approx(109.44 / 1320.0)
    assert (decision.runner_up, decision.runner_up_score) == (None, 0.0)


def test_a_visit_finishes_a_target_at_most_once() -> None:
    view = sky(1, (replace_survey(WIDE, required_s=10.0),), [[50]])
    assert tile_gain(view) == pytest.approx([50.0])


def replace_survey(survey: SurveyView, **changes: float) -> SurveyView:
    return replace(survey, **changes)  # type: ignore[arg-type]


def test_fibres_go_by_priority_whatever_the_order_of_the_surveys() -> None:
    one = tile_gain(sky(1, (WIDE, DEEP), [[90, 80]]))
    two = tile_gain(sky(1, (DEEP, WIDE), [[80, 90]]))
    assert one == two
    assert one == pytest.approx([6 * 80 / 8 + 20 / 2])


def test_a_survey_that_wants_a_darker_sky_leaves_its_fibres_to_others() -> None:
    view = replace(sky(1, (WIDE, DEEP), [[200, 100]]), sky=np.array([1.6]))
    assert tile_gain(view) == pytest.approx([100 * (1000 / 1.6) / 2000])


def test_what_is_not_worth_observing_gains_nothing() -> None:
    view = replace(sky(1, (WIDE, BRIGHT), [[50, 5]]), signal=np.array([0.4]))
    assert tile_gain(view, 0.25)[0] == pytest.approx(2 * 5 * 0.4)  # 0.16 under the sky's noise
    assert tile_gain(view)[0] == pytest.approx(2 * 5 * 0.4 + 50 * 0.16 / 2)
    assert policy("scheduling", "merit", minimum_rate=0.5).choose(view).tile is None


@pytest.mark.parametrize("name", ["merit", "highest"])
def test_ties_go_to_the_lower_number(name: str) -> None:
    decision = policy("scheduling", name).choose(sky(4, (WIDE,), [[10]] * 4))
    assert (decision.tile, decision.runner_up) == (0, 1)
    assert decision.score == decision.runner_up_score > 0


@pytest.mark.parametrize("name", ["merit", "highest"])
def test_nothing_observable_or_nothing_left_is_no_tile(name: str) -> None:
    assert policy("scheduling", name).choose(sky(0, (WIDE,), [])).tile is None
    assert policy("scheduling", name).choose(sky(3, (WIDE,), [[0]] * 3)).tile is None
    only = replace(sky(1, (WIDE,), [[10]]), tiles=np.array([17]))
    decision = policy("scheduling", name).choose(only)
    assert (decision.tile, decision.runner_up) == (17, None)


def test_merit_weighs_gain_against_the_way_there_and_highest_does_not() -> None:
    view = sky(3, (WIDE,), [[20], [19], [5]])
    view = replace(view, slew_s=np.array([120.0, 0.0, 0.0]), altitude_rad=np.array([0.9, 1.0, 1.2]))
    merit = policy("scheduling", "merit").choose(view)
    assert (merit.tile, merit.runner_up) == (1, 0)  # 9.5/1200 against 10/1320
    highest = policy("scheduling", "highest").choose(view)
    assert (highest.tile, highest.score, highest.runner_up) == (2, 1.2, 1)


def test_policies_leave_the_view_as_it_is() -> None:
    view = sky(2, (WIDE, DEEP), [[90, 30], [10, 10]])
    before = view.remaining.copy(), dict(view.fibres), view.altitude_rad.copy()
    for name in BUILT_IN["scheduling"]:
        policy("scheduling", name).choose(view)
    assert np.array_equal(view.remaining, before[0])
    assert view.fibres == before[1]
    assert np.array_equal(view.altitude_rad, before[2])


def test_a_field_that_is_almost_done_gains_only_what_is_left_of_it() -> None:
    """1000 s of the 4000 s a field needs are a quarter; of one, a tenth is left."""
    assert tile_gain(sky(2, (FIELDS,), [[1.0], [0.1]])) == pytest.approx([125.0, 50.0])


# Alerts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("response", ["insert", "switch", "abort"])
def test_each_alert_gets_what_its_class_is_owed_if_the_sky_is_good_enough(response: str) -> None:
    by_class, insert_only = policy("alerts", "by-class"), policy("alerts", "insert-only")
    for exposing in (True, False):
        good = AlertView(response, 10.0, 3600.0, exposing, 0.25)
        assert by_class.respond(good) == response
        assert by_class.respond(replace(good, rate=0.2499)) == "insert"
        assert insert_only.respond(good) == "insert"
    strict = policy("alerts", "by-class", minimum_rate=0.9)
    assert strict.respond(AlertView(response, 0.0, 1.0, True, 0.8)) == "insert"


# Placement and queues -------------------------------------------------------------------------


def test_each_role_has_its_site() -> None:
    fixed = policy("placement", "fixed", quicklook="m", reduction="c", products="a")
    sites = {s: SiteLoad(4, 0.0, 1.0) for s in "mca"}
    assert [fixed.place(r, 1, sites) for r in ("quicklook", "reduction", "products")] == list("mca")


def test_the_least_backlog_counts_nodes_and_their_speed_and_ties_go_by_name() -> None:
    place = policy("placement", "least-backlog").place
    sites = {
        "a": SiteLoad(10, 1000.0, 1.0),  # 100 s
        "b": SiteLoad(2, 300.0, 2.0),  # 75 s
        "c": SiteLoad(100, 9000.0, 1.0),  # 90 s
    }
    assert place("reduction", 1, sites) == "b"
    assert place("reduction", 1, {k: SiteLoad(3, 6.0, 1.0) for k in "cba"}) == "a"


def job(role: str, submitted: float, number: int) -> JobView:
    return JobView(role, submitted, number, 1)


def test_the_queue_serves_quick_look_first_and_each_role_in_order_of_arrival() -> None:
    jobs = [job("products", 1, 0), job("reduction", 2, 1), job("quicklook", 9, 2)]
    jobs += [job("quicklook", 3, 3), job("reduction", 2, 4)]
    by_role = sorted(jobs, key=policy("queue", "by-role").key)
    assert [j.number for j in by_role] == [3, 2, 1, 4, 0]
    fifo = sorted(jobs, key=policy("queue", "fifo").key)
    assert [j.number for j in fifo] == [0, 1, 4, 3, 2]


# Retention and dispatch -----------------------------------------------------------------------


def test_copies_go_some_time_after_their_last_use_and_never_before_the_archive_has_them() -> None:
    keep = policy("retention", "after-processing", keep="2 d")
    used = ProductView(0.0, True, True, False, 1000.0)
    assert keep.release_s(used) == 1000.0 + 2 * 86400.0
    assert keep.release_s(replace(used, needed=True)) is None
    assert keep.release_s(replace(used, work_done_s=None)) is None
    assert keep.release_s(replace(used, archived=False)) is None
    assert keep.release_s(replace(used, archived=False, wants_archive=False)) == 173800.0
    assert policy("retention", "after-processing").release_s(used) == 1000.0
    assert policy("retention", "forever").release_s(used) is None


POWER = st.floats(0, 1e7)


@given(load=POWER, solar=POWER, charge=POWER, discharge=POWER)
def test_the_battery_takes_the_surplus_and_gives_what_is_missing_within_its_limits(
    load: float, solar: float, charge: float, discharge: float
) -> None:
    view = PowerView(load, solar, charge, discharge)
    power = policy("dispatch", "self-consumption").battery_w(view)
    assert -discharge <= power <= charge
    if solar >= load:
        assert power == min(charge, solar - load)  # never from the grid into the battery
    else:
        assert power == -min(discharge, load - solar)  # never from the battery into the grid
    assert policy("dispatch", "battery-idle").battery_w(view) == 0.0


# Finding and checking -------------------------------------------------------------------------


def test_built_in_policies_are_found_by_name() -> None:
    required = {"placement": {"quicklook": "a", "reduction": "a", "products": "a"}}
    for kind, classes in BUILT_IN.items():
        assert set(classes) <= set(known_policies(kind))
        for name, cls in classes.items():
            options = required.get(kind, {}) if name == "fixed" else {}
            assert type(policy(kind, name, **options)) is cls


OWN = """
from wstdes.config.base import Model
from wstdes.policies import Policy
from wstdes.units import Seconds

class Options(Model):
    wait_s: Seconds = 0.0

class Lifo(Policy[Options]):
    Options = Options

    @classmethod
    def check(cls, options, scenario):
        if options.wait_s > 10:
            yield "wait", "too long", "wait less"

    def key(self, job):
        return (-job.submitted_s, self.options.wait_s)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_policies_of_a_test.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_policies_of_a_test", raising=False)
    return "own_policies_of_a_test"


def test_a_policy_of_ones_own_is_found_as_module_and_attribute(own: str) -> None:
    found = policy("queue", f"{own}:Lifo", wait="1 min")
    assert found.key(job("products", 5, 0)) == (-5, 60.0)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("nothing", "'nothing' is no queue policy"),
        ("no_such_module:Lifo", "cannot be imported"),
        ("{own}:Fifo", "has no 'Fifo'"),
        ("{own}:Options", "no method key()"),
    ],
)
def test_what_is_no_policy_is_refused_in_words(own: str, use: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        policy("queue", use.format(own=own))
    assert words in str(caught.value)
    assert caught.value.problems[0].path == "policies.queue.use"


def problems_of(queue: object) -> list[tuple[str, str, str]]:
    document = Document({"policies": {"queue": queue}})
    return [(p.path, p.message, p.hint) for p in check_policies(document)]


def test_options_are_checked_by_the_policys_own_model_and_check(own: str) -> None:
    use = f"{own}:Lifo"
    base = "policies.queue.options"
    assert problems_of({"use": use, "options": {"wait": "3 s"}}) == []
    assert problems_of({"use": use}) == []
    assert problems_of({"use": use, "options": {"wait": "30 s"}}) == [
        (f"{base}.wait", "too long", "wait less")
    ]
    [(path, message, hint)] = problems_of({"use": use, "options": {"wiat": "3 s"}})
    assert (path, message) == (f"{base}.wiat", "there is no option 'wiat'")
    assert "'wait'" in hint
    [(path, message, _)] = problems_of({"use": use, "options": {"wait": 3}})
    assert path == f"{base}.wait"
    assert "3 has no unit" in message
    [(path, _, hint)] = problems_of({"use": "fifoo"})
    assert path == "policies.queue.use"
    assert "'fifo'" in hint


def test_a_policy_without_options_refuses_any() -> None:
    [(path, message, _)] = problems_of({"use": "fifo", "options": {"keep": 1}})
    assert path == "policies.queue.options.keep"
    assert "no option 'keep'" in message


def test_options_cannot_be_changed() -> None:
    found = policy("alerts", "by-class")
    with pytest.raises(ValueError, match="frozen"):
        found.options.minimum_rate = 0.0
