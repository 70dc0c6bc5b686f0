"""How long visits are, and who takes part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.survey.lengths import Demands, Lengths, visit_lengths

NAN = float("nan")


def _demands(dusk_s: list[float], dawn_s: list[float]) -> Demands:
    n = len(dusk_s)
    return Demands(
        np.zeros(n),
        np.full(n, 3.0),
        np.array(dusk_s),
        np.array(dawn_s),
        np.zeros(n, dtype=np.bool_),
        np.zeros(n),
    )


def _fit(
    demands: Demands, effective_s: list[float], opens_s: float, until_s: float = 1e5
) -> Lengths:
    n = len(effective_s)
    one = np.ones(1)
    return visit_lengths(
        demands,
        np.array([effective_s]),
        one,
        one,
        np.ones((1, n)),
        np.ones((1, n)),
        np.array([opens_s]),
        until_s,
        300.0 * one,
        (3, 1200.0, 40.0),
    )


def test_a_visit_is_as_long_as_the_survey_needs_that_needs_most() -> None:
    demands = _demands([0.0, 0.0], [1e5, 1e5])
    fit = _fit(demands, [600.0, 1500.0], 1000.0)
    assert (fit.open_s[0], fit.exposures[0], fit.visit_s[0]) == (1500.0, 2, 300 + 1500 + 2 * 40)
    assert fit.wanted.all()
    assert _fit(demands, [600.0, NAN], 1000.0).open_s[0] == 3600.0


def test_before_its_dusk_and_after_its_dawn_a_survey_takes_no_part() -> None:
    demands = _demands([2000.0, 0.0], [9000.0, 1e5])
    assert _fit(demands, [600.0, 600.0], 1999.0).wanted.tolist() == [[False, True]]
    assert _fit(demands, [600.0, 600.0], 2000.0).wanted.tolist() == [[True, True]]
    assert _fit(demands, [600.0, 600.0], 9000.0).wanted.tolist() == [[False, True]]


def test_a_visit_ends_before_the_dawn_of_who_takes_part() -> None:
    demands = _demands([0.0, 0.0], [9000.0, 1e5])
    cut = _fit(demands, [1200.0, 3000.0], 7000.0)
    assert cut.wanted.all()
    assert cut.open_s[0] <= 2000.0
    late = _fit(demands, [1200.0, 3000.0], 8500.0)  # 8 minutes are too little for the first
    assert late.wanted.tolist() == [[False, True]]
    assert late.open_s[0] == 3000.0


times = st.floats(0.0, 4e4)


@settings(max_examples=300)
@given(st.lists(st.tuples(times, times, st.floats(10.0, 9e3)), min_size=1, max_size=4), times)
def test_nobody_observes_under_a_sun_too_high(
    surveys: list[tuple[float, float, float]], opens_s: float
) -> None:
    dusk, dawn, need = (list(column) for column in zip(*surveys, strict=True))
    fit = _fit(_demands(dusk, dawn), need, opens_s, until_s=4e4)
    for j in np.flatnonzero(fit.wanted[0]):
        assert dusk[j] <= opens_s
        assert opens_s + fit.open_s[0] + 40.0 * fit.exposures[0] <= dawn[j] + 1e-6
    assert fit.open_s[0] == 0.0 or fit.open_s[0] >= 0.5 * min(1200.0, *need) - 1e-9
    assert fit.exposures[0] == pytest.approx(np.ceil(fit.open_s[0] / 1200.0 - 1e-9))
