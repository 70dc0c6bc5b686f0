"""Progress of surveys against a plain dictionary; fields without what is finished."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.kernel import load_state, save_state
from wstdes.survey import Footprint, MockGalaxies, MockStars
from wstdes.survey.fields import (
    RANK_SHARE,
    STANDARD,
    STARTED_BONUS,
    SurveyTargets,
    field_targets,
)
from wstdes.survey.progress import CREDIT_S, SurveyProgress, give
from wstdes.survey.targets import InField

SIZES = {3: 5, 40_000: 2, 11: 7}
NEED = np.float32([1, 2, 3, 4, 5, 6.5, 7])
visits = st.lists(
    st.tuples(st.sets(st.tuples(st.sampled_from([*SIZES]), st.integers(0, 6))), st.integers(0, 4)),
    max_size=8,
)


@given(visits)
def test_sums_are_those_of_a_dictionary(visits):
    progress, plain = SurveyProgress(), {}
    for chosen, steps in visits:
        targets = sorted(t for t in chosen if t[1] < SIZES[t[0]])
        pixels, indices = (np.array([t[k] for t in targets], dtype=np.int64) for k in (0, 1))
        give(progress, pixels, indices, SIZES, steps, NEED[indices])
        for target in targets:
            plain[target] = plain.get(target, 0) + steps
    assert progress.steps == sum(plain.values())
    assert progress.started == sum(n > 0 for n in plain.values())
    done = [n * CREDIT_S >= NEED[index] for (_, index), n in plain.items()]
    assert progress.completed == sum(done)
    for (pixel, index), number in plain.items():
        assert progress.of(pixel, SIZES[pixel])[index] == number
        assert progress.at(np.array([pixel]), np.array([index]))[0] == number
    assert not progress.of(77, 4).any()
    assert not progress.at(np.array([77]), np.array([3])).any()


def test_what_is_given_can_be_taken_back():
    progress = SurveyProgress()
    index = np.array([0, 4])
    progress.add(3, 5, index, 30, np.float32([50, 70]))
    assert (progress.completed, progress.started, progress.observed) == (1, 2, 2)
    progress.add(3, 5, index, -30, np.float32([50, 70]), undo=True)
    assert (progress.completed, progress.started, progress.observed, progress.steps) == (0,) * 4


@pytest.mark.parametrize("steps", [-1, 65_535])
def test_what_cannot_be_kept_is_refused_and_changes_nothing(steps):
    progress = SurveyProgress()
    progress.add(3, 5, np.array([1]), 1, np.float32([9]))
    before = progress.of(3, 5).copy()
    with pytest.raises(ValueError, match="left its range"):
        progress.add(3, 5, np.array([1, 2]), steps, np.float32([9, 9]))
    assert np.array_equal(progress.of(3, 5), before)
    assert (progress.observed, progress.started) == (1, 1)


@dataclass
class _State:
    progress: list[SurveyProgress] = field(default_factory=list)


def test_it_is_two_bytes_a_target_and_comes_back_from_disk(tmp_path):
    progress = SurveyProgress()
    for pixel in range(1000):
        progress.add(pixel, 5000, np.arange(0, 5000, 7), 9, np.full(715, 18, dtype=np.float32))
    assert progress.used == 5_000_000
    assert progress.credit.nbytes <= 1.3 * 2 * progress.used
    save_state(tmp_path, {"one": _State([progress])}, 1)
    states, _ = load_state(tmp_path, {"one": _State})
    back = states["one"].progress[0]
    for one in (progress, back):
        one.add(2000, 9, np.array([3]), 4, np.float32([8]))
        one.add(5, 5000, np.array([7, 8]), 4, np.float32([18, 18]))
    assert np.array_equal(back.of(5, 5000), progress.of(5, 5000))
    assert (back.completed, back.started, back.steps) == (
        progress.completed,
        progress.started,
        progress.steps,
    )


FIELD = {"radius_m": 0.5, "scale_m_per_rad": 37.0, "year": 2036.0}


def surveys():
    galaxies = MockGalaxies(
        "g", Footprint(), 1, magnitude_limits=(18, 22), required_s=lambda m: 60.0 * (m - 17)
    )
    stars = MockStars("s", Footprint(), 1, magnitude_limits=(14, 17), required_s=12 * 3600.0)
    standards = MockStars("t", Footprint(), 1, magnitude_limits=(14, 16), required_s=1.0)
    return [
        SurveyTargets(STANDARD, standards, 0, 0.0),
        SurveyTargets(0, galaxies, 0, 3.0),
        SurveyTargets(1, stars, 1, 2.0),
    ]


def test_a_field_holds_what_is_not_finished_and_prefers_what_has_begun():
    progress = [SurveyProgress(), SurveyProgress()]
    first = field_targets(surveys(), progress, 1.0, -0.5, **FIELD)
    assert (np.hypot(first.x_m, first.y_m) <= 0.5).all()
    assert set(first.survey) == {STANDARD, 0, 1}
    got = {}
    for survey in (0, 1):
        mine = np.flatnonzero(first.survey == survey)[::3]
        sizes = {p: n for (s, p), n in first.sizes.items() if s == survey}
        # 150 s: all of the brightest galaxies, a little of a star that needs a dozen visits
        needs = first.required_s[mine]
        give(progress[survey], first.pixel[mine], first.index[mine], sizes, 75, needs)
        got[survey] = mine
    second = field_targets(surveys(), progress, 1.0, -0.5, **FIELD)
    gone = int((first.required_s[got[0]] <= 150.0).sum())
    assert gone == progress[0].completed > 10
    assert len(second) == len(first) - gone
    begun = {
        (s, p, i)
        for s in (0, 1)
        for p, i in zip(first.pixel[got[s]], first.index[got[s]], strict=True)
    }
    base = {STANDARD: 0.0, 0: 3.0, 1: 2.0}
    for s, p, i, priority in zip(
        second.survey, second.pixel, second.index, second.priority, strict=True
    ):
        assert priority == base[s] + STARTED_BONUS * ((s, p, i) in begun)


def test_a_star_of_a_dozen_visits_stays_ahead_until_it_is_done():
    one = surveys()[2]
    progress = [SurveyProgress(), SurveyProgress()]
    start = field_targets([one], progress, 1.0, -0.5, **FIELD)
    for visit in range(12):
        now = field_targets([one], progress, 1.0, -0.5, **FIELD)
        assert len(now) == len(start)
        assert (now.priority[:50] == 2.0 + STARTED_BONUS * (visit > 0)).all()
        sizes = {p: n for (_, p), n in now.sizes.items()}
        chosen = slice(0, 50)
        needs = now.required_s[chosen]
        give(progress[1], now.pixel[chosen], now.index[chosen], sizes, 1800, needs)
    assert progress[1].completed == 50
    assert len(field_targets([one], progress, 1.0, -0.5, **FIELD)) == len(start) - 50


def test_the_rank_of_a_catalogue_counts():
    class Ranked:
        def field(self, ra, dec, tangent, year):
            half = np.float32([0.5, 1.0])
            zero = np.zeros(2)
            return InField(np.array([5, 5]), np.arange(2), zero, zero, half, half, {5: 2})

    found = field_targets(
        [SurveyTargets(0, Ranked(), 0, 1.0)], [SurveyProgress()], 0.0, 0.0, **FIELD
    )
    assert found.priority == pytest.approx([1.0 + 0.5 * RANK_SHARE, 1.0 + RANK_SHARE])
    assert found.sizes == {(0, 5): 2}


def test_no_survey_gives_an_empty_field():
    found = field_targets([], [], 0.0, math.pi / 4, **FIELD)
    assert len(found) == 0
    assert found.sizes == {}
