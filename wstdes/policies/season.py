"""The season as a linear programme: what an hour is worth, and what a tile.

Least cost of time, late time being dear, such that the work that is left gets done; what cannot
be done in time costs a fine. The dual values of the work are the prices that the greedy choice
of the night pays (Dantzig 1963, chapter 12; bid prices as in Talluri & van Ryzin 1998,
Management Science 44, 1577).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import RunError
from wstdes.policies.slots import Classes, Slots, Work, periods, programmes, progress

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from wstdes.policies.views import SeasonView

__all__ = ["Grid", "Prices", "Season", "Solution", "prices", "season_bound", "solve_programme"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """How coarse the season is.

    Parameters
    ----------
    ra_bins : int
        Of right ascension and of sidereal time.
    dec_step_rad : float
        Of declination [rad].
    period_nights : int
        Length of the first period.
    growth : float
        Of each period over the one before, up to half a year.
    minimum_rate : float
        Effective over open-shutter time below which nothing is planned.
    """

    ra_bins: int = 18
    dec_step_rad: float = 0.3491
    period_nights: int = 30
    growth: float = 1.5
    minimum_rate: float = 0.25


@dataclass(frozen=True)
class Solution:
    """Of a linear programme: least objective, variables, dual values of the rows."""

    objective: float
    values: Array
    duals: Array


def solve_programme(
    cost: Array, matrix: csr_matrix, low: Array, high: Array, solver: str = "glop"
) -> Solution:
    """Least cost of variables from zero up, with rows between limits; one thread, no chance.

    Parameters
    ----------
    cost : ndarray of float64, shape (n,)
        Of a unit of each variable.
    matrix : csr_matrix, shape (m, n)
        The rows.
    low, high : ndarray of float64, shape (m,)
        Their limits; infinite where there is none.
    solver : {'glop', 'pdlp'}
        Of OR-Tools: simplex, or first-order.

    Returns
    -------
    Solution

    Raises
    ------
    RunError
        It found no optimum.
    """
    from ortools.linear_solver.python import model_builder_helper as ortools

    model = cast("Any", ortools.ModelBuilderHelper())  # its stubs ask for arrays of no kind
    none = np.zeros(len(cost))
    model.fill_model_from_sparse_data(none, none + np.inf, cost, low, high, matrix)
    helper = ortools.ModelSolverHelper(solver)
    helper.solve(model)
    if helper.status() != ortools.SolveStatus.OPTIMAL:
        raise RunError(f"the season's linear programme has no solution: {helper.status_string()}")
    return Solution(
        float(helper.objective_value()),
        np.asarray(helper.variable_values(), dtype=np.float64),
        np.asarray(helper.dual_values(), dtype=np.float64),
    )


@dataclass(frozen=True, eq=False)
class Season:
    """The work that is left and the time for it.

    Parameters
    ----------
    classes : Classes
        Tiles by place and by what is left on them.
    slots : Slots
        Time by period, sidereal time and sky.
    pairs : ndarray of int64, shape (pairs, 2)
        Class and slot that fit.
    gain : ndarray of float64, shape (pairs, programmes)
        Effective time that a second of the pair gives each programme.
    """

    classes: Classes
    slots: Slots
    pairs: NDArray[np.int64]
    gain: Array

    @classmethod
    def of(cls, view: SeasonView, grid: Grid) -> Season:
        """Cut a season into classes and slots."""
        groups = programmes(view.surveys)
        work = Work.of(view, groups)
        classes = Classes.group(view, work, grid.ra_bins, grid.dec_step_rad)
        edges = periods(view.nights, grid.period_nights, grid.growth)
        slots = Slots.cut(view, groups, grid.ra_bins, edges)
        count = (len(classes.ra_rad), len(slots.time_s))
        pairs = np.stack([i.ravel() for i in np.indices(count)], axis=1)
        gain = progress(view, groups, classes, slots, pairs)
        share = view.open_s / view.visit_s
        gain = np.where(gain >= grid.minimum_rate * share, gain, 0.0)
        gain = np.where(classes.needed_s[pairs[:, 0]] > 0.0, gain, 0.0)
        some = gain.any(axis=1)
        return cls(classes, slots, pairs[some], gain[some])

    def _matrix(self) -> csr_matrix:
        """Rows: work of each class and programme, then time of each slot.

        Columns: time of each pair, then the work of each row that is left undone.
        """
        from scipy.sparse import csr_matrix

        wanted = self.wanted
        row_of = np.full(self.classes.needed_s.size, -1, dtype=np.int64)
        row_of[wanted] = np.arange(len(wanted))
        pair, group = np.nonzero(self.gain)
        programmes_ = self.gain.shape[1]
        count = len(self.pairs)
        rows = [row_of[self.pairs[pair, 0] * programmes_ + group]]
        rows += [np.arange(len(wanted)), len(wanted) + self.pairs[:, 1]]
        columns = [pair, count + np.arange(len(wanted)), np.arange(count)]
        values = [self.gain[pair, group], np.ones(len(wanted)), np.ones(count)]
        shape = (len(wanted) + len(self.slots.time_s), count + len(wanted))
        return csr_matrix(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape
        )

    def solve(self, haste: float, fine: float, solver: str = "glop") -> Solution:
        """Do the work with the least time, late time being dear.

        Parameters
        ----------
        haste : float
            A second costs exp(haste) times as much when the work could be over as it does now.
        fine : float
            For work of mean worth left undone, over what a second costs at the end.
        solver : {'glop', 'pdlp'}
            See :func:`solve_programme`.

        Returns
        -------
        Solution
            Values: time of the pairs, work left undone [h]. Duals: of work, then of slots.
        """
        needed, worth = self.needed_h, self.relative_worth
        late = self.late(haste)
        cost = np.concatenate([late[self.pairs[:, 1]], fine * late.max() * worth])
        return self._least(cost, needed, solver)

    def late(self, haste: float) -> Array:
        """What a second of each slot costs, shape (slots,): e-fold at the least last night."""
        after = np.minimum(self.slots.after_nights / self.least_nights, 1.5)
        return np.asarray(np.exp(haste * after))

    @property
    def least_nights(self) -> float:
        """Nights that the work takes if each tile has the best time for it."""
        best = np.zeros(self.classes.needed_s.shape)
        np.maximum.at(best, self.pairs[:, 0], self.gain)
        spent = np.divide(self.classes.needed_s, best, out=np.zeros(best.shape), where=best > 0.0)
        order = np.argsort(self.slots.after_nights, kind="stable")
        done = np.cumsum(self.slots.time_s[order])
        last = min(int(np.searchsorted(done, spent.max(axis=1).sum())), len(order) - 1)
        return max(float(self.slots.after_nights[order[last]]), 1.0)

    @property
    def wanted(self) -> NDArray[np.int64]:
        """Places in the flat (classes, programmes) at which there is work."""
        return np.flatnonzero(self.classes.needed_s.ravel() > 0.0)

    @property
    def needed_h(self) -> Array:
        """Effective time of the work at each of :attr:`wanted` [h]."""
        return np.asarray(self.classes.needed_s.ravel()[self.wanted] / 3600.0)

    @property
    def unit(self) -> float:
        """Weighted targets that a second of effective time is worth, in the mean [1/s]."""
        return float(self.classes.worth.sum() / self.classes.needed_s.sum())

    @property
    def relative_worth(self) -> Array:
        """Weighted targets a second of effective time, over the mean, at :attr:`wanted`."""
        per_h = self.classes.worth.ravel()[self.wanted] / self.needed_h
        return np.asarray(per_h / 3600.0 / self.unit)

    def _least(self, cost: Array, needed: Array, solver: str) -> Solution:
        low = np.concatenate([needed, np.full(len(self.slots.time_s), -np.inf)])
        high = np.concatenate([np.full(len(needed), np.inf), self.slots.time_s / 3600.0])
        return solve_programme(cost, self._matrix(), low, high, solver)

    def most(self, solver: str = "glop") -> float:
        """The greatest share of all worth that the slots' time can give."""
        needed = self.needed_h
        cost = np.concatenate([np.zeros(len(self.pairs)), self.relative_worth])
        left = self._least(cost, needed, solver).objective
        return 1.0 - left / float(self.relative_worth @ needed)


@dataclass(frozen=True, eq=False)
class Prices:
    """What a solved season says.

    Parameters
    ----------
    of_tile : ndarray of float64, shape (tiles, surveys)
        Price of a weighted target: the cost of the time that the plan would need to make up for
        it, over its worth. Work that can only be done when time is scarce or late is dear.
    hour : ndarray of float64, shape (slots,)
        What a second is worth: its cost and its dual.
    unit : float
        Weighted targets that a second of effective time is worth, in the mean [1/s].
    spent_s : ndarray of float64, shape (pairs,)
        Time that the plan gives each pair of class and slot [s].
    undone : float
        Share of all worth that the plan leaves undone.
    """

    of_tile: Array
    hour: Array
    unit: float
    spent_s: Array
    undone: float


def prices(
    view: SeasonView, season: Season, haste: float, fine: float, solver: str = "glop"
) -> Prices:
    """Solve a season and read its prices."""
    found = season.solve(haste, fine, solver)
    wanted, worth, count = season.wanted, season.relative_worth, len(season.pairs)
    flat = np.zeros(season.classes.needed_s.size)
    flat[wanted] = np.maximum(0.0, found.duals[: len(wanted)]) / np.maximum(worth, 1e-12)
    price = flat.reshape(season.classes.needed_s.shape)
    of_tile = np.zeros_like(view.remaining)
    some = season.classes.of_tile >= 0
    for number, group in enumerate(programmes(view.surveys)):
        mine = price[season.classes.of_tile[some], number]
        for survey in group.surveys:
            of_tile[some, survey] = mine
    hour = season.late(haste) + np.maximum(0.0, -found.duals[len(wanted) :])
    total = float(worth @ season.needed_h)
    undone = float(worth @ found.values[count:]) / total
    return Prices(of_tile, hour, season.unit, 3600.0 * found.values[:count], undone)


def season_bound(
    view: SeasonView, shares: tuple[float, ...] = (0.90, 0.95, 0.99), grid: Grid | None = None
) -> list[float]:
    """The first nights by which shares of all worth can be done, with the weather of the view.

    Parameters
    ----------
    view : SeasonView
        The season; ``open_share`` may hold weather that was not known before.
    shares : tuple of float
        Of the weighted targets that are left.
    grid : Grid, optional
        How coarse.

    Returns
    -------
    list of float
        Nights from the view's first, to a thousandth of the season; infinite where the season is
        too short. A bound as good as the grid: rates are those of the middle of each class and
        slot, and slews cost nothing.
    """
    return [_first_night(view, share, grid or Grid()) for share in shares]


def _first_night(view: SeasonView, share: float, grid: Grid) -> float:
    def done_by(nights: float) -> bool:
        season = Season.of(_until(view, nights), grid)
        return len(season.pairs) > 0 and season.most() >= share - 1e-9

    low, high = 0.0, float(view.nights)
    if not done_by(high):
        return float("inf")
    while high - low > max(1.0, 1e-3 * view.nights):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if done_by(middle) else (middle, high)
    return high


def _until(view: SeasonView, nights: float) -> SeasonView:
    """The same season, without the time after so many nights."""
    part = np.clip(nights - np.arange(len(view.open_share)), 0.0, 1.0)
    return replace(view, open_share=view.open_share * part)
