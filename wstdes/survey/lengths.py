"""How long visits are: from what surveys want, what the sky gives, and the end of the night."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.config.scenario import Scenario
from wstdes.jit import njit

__all__ = ["Demands", "Lengths", "candidates", "observable", "visit_lengths"]

Array = NDArray[np.float64]
SHORTEST_SHARE = 0.5
"""A visit that the night's end cuts keeps at least this share of one exposure."""
LEAST_RATE = 1e-6


@dataclass(frozen=True)
class Demands:
    """What each survey asks of a visit; arrays of shape (surveys,).

    Parameters
    ----------
    sky_min, sky_max : ndarray of float64
        Sky it wants, over dark.
    dusk_s, dawn_s : ndarray of float64
        Between which the Sun is low enough for it, this night [s].
    source : ndarray of bool
        Whether its spectra are limited by the target's own noise.
    floor : ndarray of float64
        Variance of its detectors over that of the dark sky.
    """

    sky_min: Array
    sky_max: Array
    dusk_s: Array
    dawn_s: Array
    source: NDArray[np.bool_]
    floor: Array


@dataclass(frozen=True)
class Lengths:
    """Visits to tiles.

    Parameters
    ----------
    open_s, visit_s : ndarray of float64, shape (k,)
        Open-shutter time, and length without slew [s].
    exposures : ndarray of int64, shape (k,)
        How many; none where there is no time.
    wanted : ndarray of bool, shape (k, surveys)
        Who takes part.
    """

    open_s: Array
    visit_s: Array
    exposures: NDArray[np.int64]
    wanted: NDArray[np.bool_]


def visit_times(scenario: Scenario) -> tuple[float, float]:
    """Length of a visit of the surveys, and its open-shutter time [s]."""
    plan, observing = scenario.calibration, scenario.observing
    read = scenario.spectrographs.readout_s
    frames = plan.standard_frames * (plan.standard_frame_s + read)
    frames += plan.attached_frames * (plan.attached_frame_s + read)
    setup = scenario.focal_plane.reconfiguration_s + scenario.telescope.acquisition_s
    open_s = observing.exposures * observing.exposure_s
    return setup + frames + open_s + observing.exposures * read, open_s


def candidates(sine: Array, low: float, high: float, left: Array) -> NDArray[np.int64]:
    """Tiles between two sines of altitude in which a survey has something left.

    Parameters
    ----------
    sine : ndarray of float64, shape (tiles,)
        Of the altitudes.
    low, high : float
        Limits of it.
    left : ndarray of float64, shape (tiles, surveys)
        Unfinished targets.

    Returns
    -------
    ndarray of int64, shape (k,)
        Ascending.
    """
    out = np.empty(len(sine), dtype=np.int64)
    return out[: _candidates(sine, low, high, left, out)]


@njit
def _candidates(sine: Array, low: float, high: float, left: Array, out: NDArray[np.int64]) -> int:
    count = 0
    for i in range(len(sine)):
        if low <= sine[i] <= high:
            for j in range(left.shape[1]):
                if left[i, j] > 0.0:
                    out[count] = i
                    count += 1
                    break
    return count


def observable(
    tiles: NDArray[np.int64],
    exposures: NDArray[np.int64],
    hour_angle: Array,
    turn: Array,
    low: Array,
    high: Array,
) -> NDArray[np.int64]:
    """Which of some tiles have a visit, and stay within the limits to its end.

    Parameters
    ----------
    tiles, exposures : ndarray of int64, shape (k,)
        Their numbers, and exposures of a visit.
    hour_angle, turn : ndarray of float64, shape (k,)
        Now, and by how much it grows until the visit ends [rad].
    low, high : ndarray of float64, shape (tiles,)
        Hour angle of each tile at the lowest altitude allowed, and at the highest [rad].

    Returns
    -------
    ndarray of int64, shape (n,)
        Places in `tiles`, ascending.
    """
    out = np.empty(len(tiles), dtype=np.int64)
    return out[: _observable(tiles, exposures, hour_angle, turn, low, high, out)]


@njit
def _observable(
    tiles: NDArray[np.int64],
    exposures: NDArray[np.int64],
    hour_angle: Array,
    turn: Array,
    low: Array,
    high: Array,
    out: NDArray[np.int64],
) -> int:
    count = 0
    for k in range(len(tiles)):
        lowest, highest = low[tiles[k]], high[tiles[k]]
        begin, end = hour_angle[k], hour_angle[k] + turn[k]
        crosses = highest > 0.0 and begin < highest and end > -highest
        stays = lowest >= np.pi or (begin >= -lowest and end <= lowest)
        if exposures[k] > 0 and stays and not crosses:
            out[count] = k
            count += 1
    return count


def visit_lengths(
    demands: Demands,
    effective_s: Array,
    sky: Array,
    signal: Array,
    remaining: Array,
    urgency: Array,
    opens_s: Array,
    until_s: float,
    overhead_s: Array,
    times: tuple[int, float, float],
) -> Lengths:
    """Length of a visit to each of several tiles, and the surveys that take part.

    Parameters
    ----------
    demands : Demands
        What the surveys ask.
    effective_s : ndarray of float64, shape (k, surveys)
        Effective time after which visits end; NaN: a fixed number of exposures [s].
    sky, signal : ndarray of float64, shape (k,)
        Sky over dark, and light in a fibre over that in reference conditions.
    remaining, urgency : ndarray of float64, shape (k, surveys)
        Unfinished targets, and whether a survey may come back (above 0).
    opens_s : ndarray of float64, shape (k,)
        When the shutter could open [s].
    until_s : float
        When the night's science ends [s].
    overhead_s : ndarray of float64, shape (k,)
        Of a visit besides slew, exposures and read-out [s].
    times : tuple
        Most exposures of a visit, the longest exposure, and its read-out [s].

    Returns
    -------
    Lengths
        A visit is as long as the survey needs that needs most; where one wants a fixed number of
        exposures, or none wants it, all of them. It ends before the Sun is too high for any survey
        that takes part: one for which too little time would be left does not.
    """
    tiles, surveys = len(sky), len(demands.floor)
    open_s, visit_s = np.empty(tiles), np.empty(tiles)
    exposures = np.empty(tiles, dtype=np.int64)
    wanted = np.empty((tiles, surveys), dtype=np.bool_)
    limits = demands.sky_min, demands.sky_max, demands.dusk_s, demands.dawn_s
    _lengths(
        sky, signal, remaining, urgency, opens_s, until_s, overhead_s,
        limits, effective_s, demands.source, demands.floor, times,
        open_s, visit_s, exposures, wanted,
    )  # fmt: skip
    return Lengths(open_s, visit_s, exposures, wanted)


@njit
def _lengths(
    sky: Array,
    signal: Array,
    remaining: Array,
    urgency: Array,
    opens_s: Array,
    until_s: float,
    overhead_s: Array,
    limits: tuple[Array, Array, Array, Array],
    effective_s: Array,
    source: NDArray[np.bool_],
    floor: Array,
    times: tuple[int, float, float],
    open_s: Array,
    visit_s: Array,
    exposures: NDArray[np.int64],
    wanted: NDArray[np.bool_],
) -> None:
    sky_min, sky_max, dusk_s, dawn_s = limits
    most, longest_s, readout_s = times
    for i in range(len(sky)):
        for j in range(len(floor)):
            here = remaining[i, j] > 0.0 and urgency[i, j] > 0.0
            in_sky = sky_min[j] <= sky[i] <= sky_max[j]
            wanted[i, j] = here and in_sky and dusk_s[j] <= opens_s[i] < dawn_s[j]
        given = 0.0
        while given == 0.0:
            need, end_s, first = 0.0, until_s, -1
            for j in range(len(floor)):
                if not wanted[i, j]:
                    continue
                if dawn_s[j] < end_s:
                    end_s, first = dawn_s[j], j
                rate = signal[i]
                if not source[j]:
                    rate = signal[i] ** 2 * (1.0 + floor[j]) / (sky[i] + floor[j])
                mine = effective_s[i, j] / max(rate, LEAST_RATE)
                need = max(need, most * longest_s if np.isnan(mine) else mine)
            if need == 0.0 or need > most * longest_s:
                need = most * longest_s
            count = max(1, int(np.ceil(need / longest_s - 1e-9)))
            given = min(need, end_s - opens_s[i] - count * readout_s)
            if given < SHORTEST_SHARE * min(longest_s, need):
                given = 0.0
                if first < 0:
                    break
                wanted[i, first] = False
        count = int(np.ceil(given / longest_s - 1e-9))
        open_s[i], exposures[i] = given, count
        visit_s[i] = overhead_s[i] + given + count * readout_s
