"""Filling quotas by hand: one purpose is not robbed for another."""

from __future__ import annotations

import numpy as np

from wstdes.allocation.prices import Prices
from wstdes.allocation.problem import AssignmentProblem, Purpose, Quotas
from wstdes.allocation.repair import fill_quotas


def test_the_last_standard_is_not_taken_for_sky() -> None:
    quotas = Quotas(np.zeros(2, np.int32), np.array([[0, 1, 2]], np.int32))
    purpose = np.array([Purpose.STANDARD, Purpose.SKY] * 2, np.int8)
    problem = AssignmentProblem(
        2,
        np.zeros(4),
        np.arange(5),
        np.array([0, 0, 1, 1], np.int32),
        np.zeros(4, np.int16),
        purpose=purpose,
        quotas=quotas,
    )
    chosen, missing, _ = fill_quotas(
        np.array([0, 2, 4]),
        problem.fibre,
        np.zeros(5, np.int64),
        np.zeros(0, np.int32),
        problem.weight,
        purpose,
        np.zeros(4, np.bool_),
        np.array([0, 2], np.int32),
        Prices.of(problem),
    )
    assert sorted(purpose[chosen].tolist()) == [Purpose.STANDARD, Purpose.SKY]
    assert missing.tolist() == [[0, 0, 1]]
