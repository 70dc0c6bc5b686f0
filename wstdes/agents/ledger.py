"""What the surveys are owed: credit for exposures, taken back when quality control fails them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.cadences import Cadences
from wstdes.agents.configuration import MODE_KIND, Configuration, configure
from wstdes.agents.parts import Parts
from wstdes.agents.pending import NEVER_S, Pending, SurveyLedgerState
from wstdes.agents.records import Alert
from wstdes.agents.statistical import configure_statistical
from wstdes.config.surveys import Survey
from wstdes.survey.account import Totals
from wstdes.survey.fields import STARTED_BONUS
from wstdes.survey.progress import CREDIT_S, SurveyProgress, give
from wstdes.survey.statistical import StatisticalAccount

if TYPE_CHECKING:
    from wstdes.agents.visit import Visit

__all__ = ["SurveyLedger"]

ENOUGH = 0.85
"""Share of a tile's effective time with which it is done (desisurvey's min_snr2_fraction)."""


class SurveyLedger:
    """Keeps the observer's account with the surveys.

    Parameters
    ----------
    parts : Parts
        The facility.
    state : SurveyLedgerState
        Changed in place.
    """

    def __init__(self, parts: Parts, state: SurveyLedgerState) -> None:
        self.parts = parts
        self.state = state
        if not state.progress:
            state.progress = [SurveyProgress() for _ in parts.survey_names]
            state.remaining = parts.total.copy()
            state.tile_visits = np.zeros(len(parts.tiling), dtype=np.int64)
            state.served = np.zeros(parts.expected.shape, dtype=np.int64)
            state.last_s = np.full(parts.expected.shape, NEVER_S)
            state.given_s = np.zeros(parts.expected.shape)
            state.barren = np.zeros(parts.expected.shape, dtype=np.bool_)
        self._cadences = Cadences(parts)
        rules = [self.parts.survey(number) for number in parts.tile_surveys]
        self._visit_s = np.array([r.visit_effective_s or np.nan for r in rules])
        self._tile_s = np.array([r.tile_effective_s or np.inf for r in rules])
        self._by_tiles = bool(np.isfinite(self._tile_s).any())
        self._wants = parts.tiling.inside[:, list(parts.tile_surveys)] & ~state.barren
        self._account: StatisticalAccount | None = None
        if parts.statistical is not None:
            self._account = parts.statistical.account(state.statistical, state.remaining)

    @property
    def remaining(self) -> NDArray[np.float64]:
        """Targets (fields) that want time, shape (tiles, tile surveys); 0 in tiles done."""
        if self._account is not None:
            _ = self._account.remaining  # brings the table up to date
            self.state.remaining *= self._wants
        if not self._by_tiles:
            return self.state.remaining
        return np.where(self.state.given_s < ENOUGH * self._tile_s, self.state.remaining, 0.0)

    def needed(self) -> NDArray[np.float64]:
        """Effective time that an unfinished target still needs [s], shape (tiles, tile surveys).

        Estimated: what was given to unfinished targets is spread over those of all tiles in which
        the survey took part. What the finished got beyond their need helps nobody: it is no more
        than those that were begun may have. Fields need their whole time, their own or their
        survey's, as only their share is left.
        """
        state, left = self.state, self.remaining
        found = np.empty(left.shape)
        for column, view in enumerate(self.parts.views):
            found[:, column] = view.required_s
            served = state.served[:, column] > 0
            unfinished = float(left[served, column].sum())
            if view.mode == "ifs":
                own = self.parts.tiling.ifs_required_s
                found[:, column] = np.where(np.isnan(own), view.required_s, own)
            if view.mode == "ifs" or not unfinished > 0.0:
                continue
            totals = self.totals(self.parts.tile_surveys[column])
            begun = max(0.0, totals.started - totals.completed) * view.required_s
            given = max(0.0, totals.effective_s - totals.completed * view.required_s)
            given = min(given, begun)
            found[served, column] -= given / unfinished
        if self._by_tiles:
            found = np.where(np.isfinite(self._tile_s), self._tile_s - state.given_s, found)
        least = 0.05 * np.array([view.required_s for view in self.parts.views])
        return np.asarray(np.maximum(found, least))

    def visit_effective(self, tiles: NDArray[np.int64]) -> NDArray[np.float64]:
        """Effective time after which visits end [s], shape (k, tile surveys); nan: by exposures."""
        if not self._by_tiles:
            return np.full((len(tiles), len(self._visit_s)), self._visit_s)
        left = self._tile_s - self.state.given_s[tiles]
        left = np.where(np.isinf(left), np.nan, np.maximum(left, (1.0 - ENOUGH) * self._tile_s))
        return np.asarray(np.fmin(left, self._visit_s))

    def totals(self, survey: int) -> Totals:
        """Where a survey stands, by its number."""
        statistical = self.parts.statistical
        if self._account is not None and statistical and survey in statistical.surveys:
            return self._account.totals(statistical.surveys.index(survey))
        found = self.state.progress[survey]
        return Totals(float(found.observed), found.completed, found.started, found.steps * CREDIT_S)

    def configure(
        self,
        plan: Visit,
        usable: NDArray[np.bool_],
        year: float,
        alerts: list[Alert],
    ) -> Configuration:
        """Say who gets a fibre in a visit.

        Parameters
        ----------
        plan : Visit
            Where it is, and who wants it.
        usable : ndarray of bool, shape (fibres,)
            Fibres that can be used.
        year : float
            Julian year.
        alerts : list of Alert
            Those that wait in or near the field.
        """
        where = (plan.ra_rad, plan.dec_rad)
        if self._account is None or self.parts.statistical is None:
            return configure(
                self.parts, self.state.progress, usable, *where, plan.surveys, year, alerts
            )
        return configure_statistical(
            self.parts,
            self.parts.statistical,
            self._account,
            usable,
            where if plan.tile is None else plan.tile,
            plan.surveys,
            alerts,
        )

    def urgency(self, tiles: NDArray[np.int64], now_s: float) -> NDArray[np.float64]:
        """How much each survey wants to come back: see :meth:`Cadences.urgency`."""
        return self._cadences.urgency(self.state, tiles, now_s)

    def begin(
        self,
        visit: int,
        tile: int | None,
        ifs_survey: int | None,
        c: Configuration,
        now_s: float,
    ) -> None:
        """A visit begins with this configuration."""
        last_s: dict[int, float] = {}
        if tile is not None:
            self.state.tile_visits[tile] += 1
            for column, number in enumerate(self.parts.tile_surveys):
                if c.assigned.get(number) or number == ifs_survey:
                    last_s[column] = float(self.state.last_s[tile, column])
                    self.state.served[tile, column] += 1
                    self.state.last_s[tile, column] = now_s
        self.state.pending[visit] = Pending(
            tile,
            ifs_survey,
            c.survey,
            c.pixel,
            c.index,
            c.required_s,
            c.kind,
            c.sizes,
            c.wanted,
            c.assigned,
            c.alerts,
            c.claim,
            streams=["fibres"] if ifs_survey is None else ["fibres", "ifs"],
            last_s=last_s,
            begun_s=now_s,
        )
        if tile is not None and c.claim is None:
            self._count(tile, c)

    def field_left(self, survey: int, tile: int) -> float:
        """Share of a fixed field's time that is left."""
        required = self.parts.field_required_s(survey, tile)
        credit = self.state.progress[survey].of(0, len(self.parts.tiling))
        return max(0.0, 1.0 - float(credit[tile]) * CREDIT_S / required)

    def field_wants_s(self, visit: int, survey: int, tile: int) -> float:
        """Effective time that a fixed field still wants in a visit [s]."""
        left = self.field_left(survey, tile) * self.parts.field_required_s(survey, tile)
        most = self._cadences.most(survey, tile)
        if most is None:
            return left
        return min(left, CREDIT_S * (most - self.state.pending[visit].given.get(survey, 0)))

    def credit(
        self,
        visit: int,
        exposure: int,
        mode: str,
        span_s: tuple[float, float],
        effective_s: dict[str, float],
    ) -> None:
        """Give the targets of a mode the effective time of an exposure.

        Parameters
        ----------
        visit, exposure : int
            Their numbers.
        mode : str
            lr, hr or ifs.
        span_s : tuple of float
            Shutter opening and closing [s].
        effective_s : dict of str to float
            By what limits the spectra: sky and source [s].
        """
        pending = self.state.pending[visit]
        key = f"{exposure}/{mode}"
        pending.spans[key] = span_s
        pending.steps[key] = {noise: round(s / CREDIT_S) for noise, s in effective_s.items()}
        self._cap(pending, mode, pending.steps[key])
        pending.waiting.append(key)
        self._give(pending, mode, pending.steps[key])
        self._give_tile(pending, mode, pending.steps[key])

    def _cap(self, pending: Pending, mode: str, steps: dict[str, int]) -> None:
        """A visit gives a survey with a cadence no more than its share of the time it needs."""
        for number in range(len(self.parts.survey_names)):
            rules, most = self.parts.survey(number), self._cadences.most(number, pending.tile)
            takes_part = number in pending.wanted or number == pending.ifs_survey
            if most is None or rules.mode != mode or not takes_part:
                continue
            given = pending.given.get(number, 0)
            own = self._own(number)
            steps[own] = max(0, min(steps[rules.noise], most - given))
            pending.given[number] = given + steps[own]

    def _own(self, survey: int) -> str:
        """Key of what is a survey's alone: whatever it is called, no kind of noise."""
        return f"survey {self.parts.survey_names[survey]}"

    def _steps(self, steps: dict[str, int], survey: int) -> int:
        """What an exposure gives to a survey, in steps of effective time."""
        return steps.get(self._own(survey), steps[self.parts.survey(survey).noise])

    def verdict(self, visit: int, exposure: int, mode: str, passed: bool) -> bool:
        """Take credit back if the exposure failed; return whether it passed."""
        pending = self.state.pending[visit]
        key = f"{exposure}/{mode}"
        pending.waiting.remove(key)
        if passed:
            pending.good.append(key)
        else:
            given = {noise: -steps for noise, steps in pending.steps[key].items()}
            for number in list(pending.given):
                pending.given[number] += given.get(self._own(number), 0)
            self._give(pending, mode, given, undo=True)
            self._give_tile(pending, mode, given)
        self._settle(visit)
        return passed

    def nothing_in(self, tile: int, surveys: frozenset[int]) -> None:
        """No fibre reaches any target of these surveys in a tile: it has nothing to give them."""
        mine = [column for column, s in enumerate(self.parts.tile_surveys) if s in surveys]
        self.state.remaining[tile, mine] = 0.0
        self.state.barren[tile, mine] = True
        self._wants[tile, mine] = False

    def close(self, visit: int, stream: str) -> None:
        """No exposure of the fibres, or of the IFS, will follow for the visit."""
        self.state.pending[visit].streams.remove(stream)
        self._settle(visit)

    def _give(self, pending: Pending, mode: str, steps: dict[str, int], undo: bool = False) -> None:
        if mode == "ifs":
            if pending.ifs_survey is not None and pending.tile is not None:
                self._give_field(pending.ifs_survey, pending.tile, steps, undo)
            return
        if pending.claim is not None and self._account is not None:
            given = [abs(self._steps(steps, s.number)) for s in self.parts.fibre_surveys]
            move = self._account.undo if undo else self._account.credit
            move(pending.claim, MODE_KIND[mode], CREDIT_S * np.array(given))
        mine = pending.kind == MODE_KIND[mode]
        for survey in np.flatnonzero(np.bincount(pending.survey[mine])).tolist():
            here = mine & (pending.survey == survey)
            sizes = {p: n for (s, p), n in pending.sizes.items() if s == survey}
            progress = self.state.progress[survey]
            before = progress.completed
            give(
                progress,
                pending.pixel[here],
                pending.index[here],
                sizes,
                self._steps(steps, survey),
                pending.required_s[here],
                undo=undo,
            )
            if pending.tile is not None and self.parts.tiling.inside[pending.tile, survey]:
                column = self.parts.tile_surveys.index(survey)
                self.state.remaining[pending.tile, column] -= progress.completed - before
        if mode == "lr" and self.parts.alert_survey is not None and pending.alerts:
            progress = self.state.progress[self.parts.alert_survey]
            progress.observed += (-1 if undo else 1) * len(pending.alerts)
            progress.steps += self._steps(steps, self.parts.alert_survey) * len(pending.alerts)

    def _give_field(self, survey: int, tile: int, steps: dict[str, int], undo: bool) -> None:
        """Give the integral field of a tile effective time."""
        self.state.progress[survey].add(
            0,
            len(self.parts.tiling),
            np.array([tile]),
            self._steps(steps, survey),
            np.array([self.parts.field_required_s(survey, tile)], dtype=np.float32),
            undo=undo,
        )
        column = self.parts.tile_surveys.index(survey)
        self.state.remaining[tile, column] = self.field_left(survey, tile)

    def _give_tile(self, pending: Pending, mode: str, steps: dict[str, int]) -> None:
        """Note what a tile has got, for surveys that count by tiles."""
        if pending.tile is None or not self._by_tiles:
            return
        for column in np.flatnonzero(np.isfinite(self._tile_s)).tolist():
            number = self.parts.tile_surveys[column]
            if number in pending.wanted and self.parts.survey(number).mode == mode:
                given = CREDIT_S * self._steps(steps, number)
                self.state.given_s[pending.tile, column] += given

    def _settle(self, visit: int) -> None:
        """Forget the visit when all is known."""
        pending = self.state.pending[visit]
        if pending.closed and not pending.waiting:
            self._complete_alerts(pending)
            self._forget_vain(pending)
            del self.state.pending[visit]

    def _forget_vain(self, pending: Pending) -> None:
        """A visit without a good exposure is none of a survey's, or of the tile's."""
        modes = {key.split("/")[1] for key in pending.good}
        if pending.tile is not None and not modes:
            self.state.tile_visits[pending.tile] -= 1
        for column, before_s in pending.last_s.items():
            if self.parts.survey(self.parts.tile_surveys[column]).mode in modes:
                continue
            self.state.served[pending.tile, column] -= 1
            for later in self.state.pending.values():
                if later.tile == pending.tile and later.last_s.get(column) == pending.begun_s:
                    later.last_s[column] = before_s
            if self.state.last_s[pending.tile, column] == pending.begun_s:
                self.state.last_s[pending.tile, column] = before_s

    def _complete_alerts(self, pending: Pending) -> None:
        """Alerts of the visit are completed if its good exposures give the time they need."""
        number = self.parts.alert_survey
        if number is None or not pending.answered:
            return
        rules = self.parts.survey(number)
        steps = sum(pending.steps[k][rules.noise] for k in pending.good if k.endswith("/lr"))
        if steps * CREDIT_S >= rules.required_s:
            self.state.progress[number].completed += len(pending.answered)

    def _count(self, tile: int, c: Configuration) -> None:
        """Note what a configuration found unfinished in its tile; credit takes from it later.

        Where a survey got no fibre, and none of its kind went to targets that come before its own,
        none reaches any: the tile has nothing to give it.
        """
        for column, number in enumerate(self.parts.tile_surveys):
            if number not in c.wanted or not self.parts.tiling.inside[tile, number]:
                continue
            rules = self.parts.survey(number)
            first = [s for s, n in c.assigned.items() if n and self._before(s, rules)]
            self.state.remaining[tile, column] = c.wanted[number] if first else 0.0

    def _before(self, number: int, other: Survey) -> bool:
        """Whether a survey's targets, those begun at least, may have fibres before another's."""
        rules = self.parts.survey(number)
        return rules.mode == other.mode and rules.priority + STARTED_BONUS >= other.priority
