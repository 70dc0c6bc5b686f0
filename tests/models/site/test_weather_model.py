"""The weather's generator: distributions and memory as asked, and as others measured."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from wstdes.config import load_scenario
from wstdes.config.scenario import Scenario
from wstdes.models.site import (
    closing_threshold,
    latent_path,
    lognormal,
    share_above,
    transparency,
)

HOUR = 3600.0
Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def small() -> Scenario:
    return load_scenario("small").scenario


def path(seed: int, n: int, step_s: float, tau_s: float) -> Array:
    rng = np.random.default_rng(seed)
    return latent_path(float(rng.normal()), rng.standard_normal(n), step_s, tau_s)


def error_of_mean(n: int, step_s: float, tau_s: float) -> float:
    """Standard error of the mean of n correlated standard normal numbers."""
    keep = math.exp(-step_s / tau_s)
    return math.sqrt((1 + keep) / (1 - keep) / n)


@pytest.mark.parametrize(
    ("step_s", "tau_s"), [(300.0, 2 * HOUR), (600.0, 15 * HOUR), (600.0, 60.0)]
)
def test_memory_fades_exponentially(step_s: float, tau_s: float) -> None:
    n = 200_000
    z = path(1, n, step_s, tau_s)
    spread = error_of_mean(n, step_s, tau_s)
    assert abs(z.mean()) < 4 * spread
    assert z.std() == pytest.approx(1.0, abs=4 * spread)
    for lag in (1, 3, 10, 30):
        found = np.mean(z[:-lag] * z[lag:])
        assert found == pytest.approx(math.exp(-lag * step_s / tau_s), abs=4 * spread)


def test_a_path_in_two_pieces_is_the_path_in_one() -> None:
    draws = np.random.default_rng(2).standard_normal(100)
    whole = latent_path(0.3, draws, 600.0, HOUR)
    first = latent_path(0.3, draws[:40], 600.0, HOUR)
    second = latent_path(float(first[-1]), draws[40:], 600.0, HOUR)
    assert np.array_equal(np.concatenate([first, second]), whole)


def test_log_normal_moments_and_the_share_above_a_limit() -> None:
    z = np.random.default_rng(3).standard_normal(400_000)
    x = lognormal(z, 0.72, 0.33)
    assert np.median(x) == pytest.approx(0.72, rel=3e-3)
    assert np.log(x).std() == pytest.approx(0.33, rel=5e-3)
    assert x.mean() == pytest.approx(0.72 * math.exp(0.33**2 / 2), rel=3e-3)
    share = share_above(1.0, 0.72, 0.33)
    assert (x > 1.0).mean() == pytest.approx(share, abs=4 * math.sqrt(share / 400_000))


@pytest.mark.parametrize("month", range(12))
def test_the_dome_may_be_open_as_long_as_the_month_asks(month: int, small: Scenario) -> None:
    site = small.site
    asked = site.open_fraction[month]
    losses = (
        share_above(site.wind_close_m_per_s, site.wind_median_m_per_s, site.wind_sigma_ln),
        share_above(site.humidity_close, site.humidity_median, site.humidity_sigma_ln),
    )
    limit = closing_threshold(asked, *losses)
    assert ndtr(limit) * (1 - losses[0]) * (1 - losses[1]) == pytest.approx(asked, abs=1e-9)
    n, step = 60_000, HOUR
    cloud = path(100 + month, n, step, site.cloud_correlation_s)
    wind = lognormal(
        path(200 + month, n, step, site.wind_correlation_s),
        site.wind_median_m_per_s,
        site.wind_sigma_ln,
    )
    humidity = lognormal(
        path(300 + month, n, step, site.humidity_correlation_s),
        site.humidity_median,
        site.humidity_sigma_ln,
    )
    may_open = (
        (cloud <= limit) & (wind <= site.wind_close_m_per_s) & (humidity <= site.humidity_close)
    )
    error = math.sqrt(asked * (1 - asked)) * error_of_mean(n, step, site.cloud_correlation_s)
    assert may_open.mean() == pytest.approx(asked, abs=4 * error)


def test_transparency_is_clear_then_falls_to_the_closing_value() -> None:
    z = np.array([-3.0, 0.5, 1.0, 1.0001, 4.0])
    assert transparency(z, 0.5, 1.0, 0.4) == pytest.approx([1.0, 1.0, 0.4, 0.04, 0.04])
    half = 0.5 * (ndtr(0.5) + ndtr(1.0))
    from scipy.special import ndtri

    assert transparency(np.array([ndtri(half)]), 0.5, 1.0, 0.4)[0] == pytest.approx(0.7)


# Against what others measured -----------------------------------------------------------------


def test_seeing_at_las_campanas_forgets_itself_as_assumed(small: Scenario, reference: Path) -> None:
    """A year at 300 s. Over half an hour to two hours its correlation falls as with 1.7 to 2.3 h
    (assumed: 2 h); over a day a third of the variance is slow, which the model does not have.
    """
    with gzip.open(reference / "weather" / "opsim_campanas_fwhm_yr1_300s.dat.gz") as file:
        fwhm = np.loadtxt(file)[:, 1]
    z = np.log(fwhm) - np.log(fwhm).mean()
    for lag, tolerance in ((6, 0.06), (12, 0.06), (24, 0.06)):
        measured = np.mean(z[:-lag] * z[lag:]) / z.var()
        assumed = math.exp(-lag * 300.0 / small.site.seeing_correlation_s)
        assert measured == pytest.approx(assumed, abs=tolerance)


def test_seeing_at_las_campanas_spreads_a_third_more_than_assumed(
    small: Scenario, reference: Path
) -> None:
    """Measured sigma_ln 0.45 (0.44 between the quantiles), assumed 0.33: stated, not hidden."""
    with gzip.open(reference / "weather" / "opsim_campanas_fwhm_yr1_300s.dat.gz") as file:
        fwhm = np.loadtxt(file)[:, 1]
    low, high = np.quantile(np.log(fwhm), [0.1587, 0.8413])
    assert (high - low) / 2 / small.site.seeing_sigma_ln == pytest.approx(1.34, abs=0.1)
    assert np.median(fwhm) == pytest.approx(
        small.site.seeing_median_rad * 648000 / math.pi, rel=0.1
    )


def cloud_correlation(cloud: Array, lag_h: float, limit: float) -> float:
    """Correlation of 'clear' with 'clear' a lag (and at most half an hour more or less) later."""
    times, clear = cloud[:, 0] / HOUR, (cloud[:, 1] < limit).astype(float)
    pairs: list[tuple[float, float]] = []
    for k in range(1, 12):
        fits = np.abs(times[k:] - times[:-k] - lag_h) < 0.5
        pairs += zip(clear[:-k][fits], clear[k:][fits], strict=True)
    assert len(pairs) > 1000
    a, b = np.array(pairs).T
    return float(np.corrcoef(a, b)[0, 1])


def modelled(lag_h: float, tau_s: float, clear: float) -> float:
    """The same of the model: a latent Gaussian process cut at a threshold."""
    n = 100_000
    z = path(9, n, HOUR / 2, tau_s)
    below = (z < np.quantile(z, clear)).astype(float)
    k = round(2 * lag_h)
    return float(np.corrcoef(below[:-k], below[k:])[0, 1])


@pytest.mark.parametrize("lag_h", [2.66, 5.32, 23.95, 47.9])
def test_cloud_at_tololo_lasts_as_in_a_model_with_45_hours(lag_h: float, reference: Path) -> None:
    """Four looks a night for ten years, clear below half of the sky, at four lags.

    One exponential memory of 45 h fits all of them; the sites assume 15 h (6 to 30 h), see below.
    """
    cloud = np.loadtxt(reference / "weather" / "opsim_1996-2005_CloudTololo.txt")
    share = float((cloud[:, 1] < 0.5).mean())
    measured = cloud_correlation(cloud, lag_h, 0.5)
    assert modelled(lag_h, 45 * HOUR, share) == pytest.approx(measured, abs=0.08)


def test_the_assumed_memory_of_cloud_is_a_fair_part_of_the_measured_one(small: Scenario) -> None:
    """Spells of cloud at Tololo last three times longer than assumed; more would be too much."""
    assert 1 / 3 <= small.site.cloud_correlation_s / (45 * HOUR) <= 1.5
