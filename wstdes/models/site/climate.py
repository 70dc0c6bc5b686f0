"""A site's climate: what the generator needs, month by month, and a day's weather from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from wstdes.models.site.latent import advance, share_within
from wstdes.models.site.weather import (
    cloud_cover,
    latent_cloud,
    latent_lognormal,
    lognormal,
    thinnest_cloud,
    transparency,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wstdes.config.hardware import Site

__all__ = ["CLOUD", "COMPONENTS", "HUMIDITY", "QUANTITIES", "SEEING", "WIND", "Climate", "climate"]

Array = NDArray[np.float64]

QUANTITIES = ("cloud", "seeing", "wind", "humidity")
CLOUD, SEEING, WIND, HUMIDITY = range(4)
COMPONENTS = ("cloud", "seeing", "seeing_slow", "wind", "humidity")
"""Latent components; seeing has two, of which one changes within a night."""
_PROCESS = np.array([CLOUD, SEEING, SEEING, WIND, HUMIDITY], dtype=np.int64)
_FAR = 8.0
"""Standard deviations beyond which nothing lies."""


@dataclass(frozen=True, eq=False)
class Climate:
    """Statistics of a site's weather at a step's length.

    Parameters
    ----------
    step_s : float
        Length of a step [s].
    keep, weight : ndarray of float64, shape (5,)
        Of the components, for :func:`wstdes.models.site.latent.advance`.
    clear_below, closed_above : ndarray of float64, shape (12,)
        Latent cloud without cloud, and at closing.
    cloud_close, thin : float
        Cover at closing, and transparency then.
    median : ndarray of float64, shape (4, 12)
        Of seeing [rad], wind [m/s] and humidity, by month, in the rows of their processes.
    sigma_ln : ndarray of float64, shape (4,)
        Of the same.
    wind_close_m_per_s, humidity_close : float
        Limits.
    delay_s : float
        Wait before the dome opens again [s].
    """

    step_s: float
    keep: Array
    weight: Array
    clear_below: Array
    closed_above: Array
    cloud_close: float
    thin: float
    median: Array
    sigma_ln: Array
    wind_close_m_per_s: float
    humidity_close: float
    delay_s: float

    def day(
        self,
        month: int,
        state: Array,
        innovations: Array,
        measured: Mapping[str, Array] | None = None,
    ) -> dict[str, Array]:
        """Make the weather of some steps.

        Parameters
        ----------
        month : int
            From 0.
        state : ndarray of float64, shape (5,)
            Latent components one step before; changed to those at the last step.
        innovations : ndarray of float64, shape (5, n)
            Independent standard normal numbers.
        measured : mapping of str to ndarray of float64, shape (n,)
            Seeing [rad], wind [m/s], humidity, cloud and transparency where they were measured;
            NaN elsewhere.

        Returns
        -------
        dict of str to ndarray of float64, shape (n,)
            ``cloud`` (share of the sky), ``transparency``, ``seeing`` [rad], ``wind`` [m/s] and
            ``humidity``; where one was measured, it is that.
        """
        measured = measured or {}
        n = innovations.shape[1]
        low, high = np.full((4, n), -np.inf), np.full((4, n), np.inf)
        for what, values in measured.items():
            self._hold(month, what, values, low, high)
        z = advance(state, innovations, self.keep, self.weight, _PROCESS, low, high)
        edges = float(self.clear_below[month]), float(self.closed_above[month])
        made = {
            what: lognormal(z[row], float(self.median[row, month]), float(self.sigma_ln[row]))
            for what, row in (("seeing", SEEING), ("wind", WIND), ("humidity", HUMIDITY))
        }
        made["humidity"] = np.minimum(made["humidity"], 1.0)
        made["cloud"] = cloud_cover(z[CLOUD], *edges, self.cloud_close)
        _take(made, measured, "cloud")
        made["transparency"] = transparency(made["cloud"], self.cloud_close, self.thin)
        for what in ("seeing", "wind", "humidity", "transparency"):
            _take(made, measured, what)
        return made

    def _hold(self, month: int, what: str, values: Array, low: Array, high: Array) -> None:
        """Limit the latent processes to what was measured."""
        there = np.isfinite(values)
        given = values[there]
        if what in ("cloud", "transparency"):
            if what == "transparency":
                given = thinnest_cloud(given, self.cloud_close, self.thin)
            edges = float(self.clear_below[month]), float(self.closed_above[month])
            low[CLOUD, there], high[CLOUD, there] = latent_cloud(given, *edges, self.cloud_close)
        elif what in QUANTITIES:
            row = QUANTITIES.index(what)
            given = np.maximum(given, 1e-6 * self.median[row, month])
            z = latent_lognormal(given, float(self.median[row, month]), float(self.sigma_ln[row]))
            low[row, there] = high[row, there] = z

    def causes(self, made: Mapping[str, Array]) -> NDArray[np.int64]:
        """What closes the dome at each step: 0 nothing, 1 cloud, 2 wind, 3 humidity."""
        tests = (
            made["cloud"] > self.cloud_close,
            made["wind"] > self.wind_close_m_per_s,
            made["humidity"] > self.humidity_close,
        )
        return np.asarray(np.select(tests, [1, 2, 3], 0), dtype=np.int64)


def _take(made: dict[str, Array], measured: Mapping[str, Array], what: str) -> None:
    if what in measured:
        made[what] = np.where(np.isfinite(measured[what]), measured[what], made[what])


def _open_steps(step_s: float, delay_s: float) -> int:
    return int(np.ceil((step_s + delay_s) / step_s - 1e-9))


def climate(site: Site, step_s: float) -> Climate:
    """Make the generator of a site's weather.

    Cloud closes the dome as often as is needed for it to be open for the month's
    ``open_fraction``, with the wait before it opens again, and after wind and humidity (which are
    independent of cloud) have had their share.

    Parameters
    ----------
    site : Site
        Its hardware model.
    step_s : float
        Length of a step [s].
    """
    slow = site.seeing_slow_share
    tau = np.array(
        [
            site.cloud_correlation_s,
            site.seeing_correlation_s,
            site.seeing_slow_correlation_s,
            site.wind_correlation_s,
            site.humidity_correlation_s,
        ]
    )
    median = np.ones((4, 12))
    median[SEEING] = site.seeing_median_rad * np.array(site.seeing_season)
    median[WIND] = site.wind_median_m_per_s * np.array(site.wind_season)
    median[HUMIDITY] = site.humidity_median * np.array(site.humidity_season)
    sigma = np.array([1.0, site.seeing_sigma_ln, site.wind_sigma_ln, site.humidity_sigma_ln])
    keep = np.exp(-step_s / tau)
    steps = _open_steps(step_s, site.reopening_delay_s)
    asked = np.array(site.open_fraction)
    for row, limit in ((WIND, site.wind_close_m_per_s), (HUMIDITY, site.humidity_close)):
        z = latent_lognormal(np.array(limit), median[row], float(sigma[row]))
        known = {x: share_within(x, keep[row + 1], steps) for x in set(z.tolist())}
        asked = asked / np.maximum([known[x] for x in z.tolist()], 1e-9)
    closed_above = _limits(np.minimum(asked, 1.0), float(keep[CLOUD]), steps)
    clear = np.array(site.photometric_fraction) * ndtr(closed_above)
    return Climate(
        step_s=step_s,
        keep=keep,
        weight=np.sqrt(np.array([1.0, 1.0 - slow, slow, 1.0, 1.0])),
        clear_below=np.clip(ndtri(clear), -_FAR, closed_above),
        closed_above=closed_above,
        cloud_close=site.cloud_close,
        thin=site.thin_cloud_transparency,
        median=median,
        sigma_ln=sigma,
        wind_close_m_per_s=site.wind_close_m_per_s,
        humidity_close=site.humidity_close,
        delay_s=site.reopening_delay_s,
    )


def _limits(shares: Array, keep: float, steps: int) -> Array:
    """Limits below which a process has been for so many steps for these shares of the time."""
    grid = np.linspace(-5.0, 5.0, 61)
    within = np.array([share_within(x, keep, steps) for x in grid])
    known = ndtri(np.clip(within, 1e-12, 1.0 - 1e-12))  # nearly a straight line over the grid
    found = np.interp(ndtri(np.clip(shares, 1e-12, 1.0 - 1e-12)), known, grid)
    return np.where(shares <= 0.0, -_FAR, np.where(shares >= 1.0, _FAR, found))
