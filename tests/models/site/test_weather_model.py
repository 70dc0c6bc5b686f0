"""The weather's generator: distributions, memory and closures as asked."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from wstdes.config.hardware import Site
from wstdes.config.part import load_hardware
from wstdes.models.site import (
    Climate,
    advance,
    climate,
    cloud_cover,
    latent_cloud,
    lognormal,
    share_above,
    share_within,
    thinnest_cloud,
    transparency,
)

HOUR = 3600.0
STEP = 900.0
SITES = [
    "paranal-armazones", "paranal-etc", "cerro-tololo", "las-campanas", "la-silla", "kitt-peak"
]  # fmt: skip
Array = NDArray[np.float64]


def path(seed: int, n: int, step_s: float, tau_s: list[float], share: list[float]) -> Array:
    """A process of several components."""
    rng = np.random.default_rng(seed)
    free = np.full((1, n), np.inf)
    keep = np.exp(-step_s / np.array(tau_s))
    weight, zero = np.sqrt(share), np.zeros(len(share), dtype=np.int64)
    draws = rng.standard_normal((len(share), n))
    return advance(rng.standard_normal(len(share)), draws, keep, weight, zero, -free, free)[0]


def error_of_mean(n: int, step_s: float, tau_s: float) -> float:
    """Standard error of the mean of n correlated standard normal numbers."""
    keep = math.exp(-step_s / tau_s)
    return math.sqrt((1 + keep) / (1 - keep) / n)


@pytest.mark.parametrize(
    ("tau_s", "share"),
    [([2 * HOUR], [1.0]), ([60.0], [1.0]), ([1 * HOUR, 15 * HOUR], [0.6, 0.4])],
)
def test_memory_fades_as_the_sum_of_exponentials(tau_s: list[float], share: list[float]) -> None:
    n, step = 200_000, 600.0
    z = path(1, n, step, tau_s, share)
    spread = error_of_mean(n, step, max(tau_s))
    assert abs(z.mean()) < 4 * spread
    assert z.std() == pytest.approx(1.0, abs=4 * spread)
    for lag in (1, 3, 10, 30):
        found = np.mean(z[:-lag] * z[lag:])
        asked = sum(s * math.exp(-lag * step / t) for s, t in zip(share, tau_s, strict=True))
        assert found == pytest.approx(asked, abs=4 * spread)


def test_a_path_in_two_pieces_is_the_path_in_one() -> None:
    rng = np.random.default_rng(2)
    draws, start = rng.standard_normal((2, 100)), rng.standard_normal(2)
    keep, weight = np.array([0.9, 0.99]), np.sqrt([0.7, 0.3])
    zero, free = np.zeros(2, dtype=np.int64), np.full((1, 100), np.inf)

    def run(state: Array, a: int, b: int) -> Array:
        limits = free[:, a:b].copy()
        return advance(state, draws[:, a:b].copy(), keep, weight, zero, -limits, limits)[0]

    whole, state = run(start.copy(), 0, 100), start.copy()
    assert np.array_equal(np.concatenate([run(state, 0, 40), run(state, 40, 100)]), whole)


def test_what_was_measured_holds_the_process_which_goes_on_from_there() -> None:
    n = 200
    low, high = np.full((1, n), -np.inf), np.full((1, n), np.inf)
    low[0, 50:60] = high[0, 50:60] = 2.5
    high[0, 100:] = -0.5
    draws = np.random.default_rng(3).standard_normal((2, n)) * 1e-3
    keep, weight = np.array([0.5, 0.999]), np.sqrt([0.6, 0.4])
    zero = np.zeros(2, dtype=np.int64)
    z = advance(np.zeros(2), draws, keep, weight, zero, low, high)[0]
    assert z[50:60] == pytest.approx(2.5)
    assert 0.5 < z[65] < z[60] < 2.5  # the slow component remembers
    assert (z[100:] <= -0.5).all()


@pytest.mark.parametrize("keep", [0.2, 0.9, math.exp(-900 / (36 * HOUR))])
@pytest.mark.parametrize("limit", [-1.0, 0.7, 2.0])
def test_share_within_agrees_with_the_multivariate_normal(keep: float, limit: float) -> None:
    cov = keep ** np.abs(np.subtract.outer(range(3), range(3)))
    asked = multivariate_normal.cdf([limit] * 3, cov=cov, abseps=1e-8)
    assert share_within(limit, keep, 3) == pytest.approx(asked, abs=2e-5)
    assert share_within(limit, keep, 1) == pytest.approx(ndtr(limit), abs=1e-12)


def test_log_normal_moments_and_the_share_above_a_limit() -> None:
    z = np.random.default_rng(3).standard_normal(400_000)
    x = lognormal(z, 0.72, 0.33)
    assert np.median(x) == pytest.approx(0.72, rel=3e-3)
    assert x.mean() == pytest.approx(0.72 * math.exp(0.33**2 / 2), rel=3e-3)
    share = share_above(1.0, 0.72, 0.33)
    assert (x > 1.0).mean() == pytest.approx(share, abs=4 * math.sqrt(share / 400_000))


def test_cover_and_transparency_meet_at_closing_and_can_be_inverted() -> None:
    z = np.array([-3.0, 0.5, 0.75, 1.0, 4.0])
    cover = cloud_cover(z, 0.5, 1.0, 0.7)
    assert cover == pytest.approx([0.0, 0.0, 0.35, 0.7, 1.0])
    assert transparency(cover, 0.7, 0.4) == pytest.approx([1.0, 1.0, 0.7, 0.4, 0.04])
    assert thinnest_cloud(transparency(cover, 0.7, 0.4), 0.7, 0.4) == pytest.approx(cover)
    low, high = latent_cloud(cover, 0.5, 1.0, 0.7)
    assert low[2:] == pytest.approx([0.75, 1.0, 0.5 + 0.5 / 0.7])
    assert high[:4] == pytest.approx([0.5, 0.5, 0.75, 1.0])
    assert (low[0], high[4]) == (-np.inf, np.inf)


# A site's climate -----------------------------------------------------------------------------


def site(name: str, **changes: object) -> Site:
    return load_hardware(Site, name).model_copy(update=changes)


def simulate(model: Climate, month: int, steps: int, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return model.day(month, rng.standard_normal(5), rng.standard_normal((5, steps)))


def is_open(model: Climate, made: dict[str, Array]) -> NDArray[np.bool_]:
    """Closed in a step with a cause, and in all that begin before the wait after it ends."""
    closed = model.causes(made) > 0
    for later in range(1, len(closed)):
        if later * STEP >= STEP + model.delay_s:
            break
        closed[later:] |= model.causes(made)[:-later] > 0
    return ~closed


@pytest.mark.parametrize("name", SITES)
def test_the_dome_is_open_as_long_as_the_month_asks_with_the_wait(name: str) -> None:
    """All causes and the wait before opening together, over 30 years of one month each.

    The tolerance is four standard errors; before the wait was counted the dome was open for 2 to
    4 % less, ten times that.
    """
    where = site(name)
    model = climate(where, STEP)
    steps = 30 * 30 * 96
    for month in (0, 3, 6):
        asked = where.open_fraction[month]
        error = math.sqrt(asked * (1 - asked)) * error_of_mean(
            steps, STEP, where.cloud_correlation_s
        )
        found = np.mean([is_open(model, simulate(model, month, steps, s)).mean() for s in range(2)])
        assert found == pytest.approx(asked, abs=4 * error / math.sqrt(2))


@pytest.mark.parametrize("delay_s", [0.0, 1200.0, 4 * HOUR])
def test_a_longer_wait_leaves_the_open_share_as_asked(delay_s: float) -> None:
    where = site("cerro-tololo", reopening_delay_s=delay_s, cloud_correlation_s=8 * HOUR)
    model = climate(where, STEP)
    steps = 400_000
    asked = where.open_fraction[5]
    error = math.sqrt(asked * (1 - asked)) * error_of_mean(steps, STEP, 8 * HOUR)
    assert is_open(model, simulate(model, 5, steps)).mean() == pytest.approx(asked, abs=4 * error)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_month_may_be_lost_whole_or_free_of_cloud(share: float) -> None:
    model = climate(site("paranal-armazones", open_fraction=(share,) * 12), STEP)
    made = simulate(model, 0, 20_000)
    assert np.isfinite(made["transparency"]).all()
    assert ((made["cloud"] > model.cloud_close).mean()) == 1.0 - share
    if share == 0.0:
        assert not is_open(model, made).any()


def test_seasons_move_medians_and_leave_the_rest() -> None:
    season = (1.3,) + (1.0,) * 11
    model = climate(
        site("paranal-armazones", seeing_season=season, wind_season=season, humidity_season=season),
        STEP,
    )
    january, february = simulate(model, 0, 5_000), simulate(model, 1, 5_000)
    for what in ("seeing", "wind"):
        assert january[what] / february[what] == pytest.approx(1.3)
    assert np.median(january["humidity"] / february["humidity"]) == pytest.approx(1.3)


def test_the_share_without_cloud_and_the_transparency_of_kitt_peak() -> None:
    """DESI's forecast has a mean transparency of 0.94 (DESI-doc-3087)."""
    where = site("kitt-peak")
    model = climate(where, STEP)
    open_, clear, light = [], [], []
    for month in range(12):
        made = simulate(model, month, 96 * 600, month)
        free = made["cloud"] <= model.cloud_close
        open_.append(free.sum())
        clear.append((made["cloud"][free] == 0.0).sum())
        light.append(made["transparency"][free].sum())
    assert sum(clear) / sum(open_) == pytest.approx(np.mean(where.photometric_fraction), abs=0.03)
    assert sum(light) / sum(open_) == pytest.approx(0.94, abs=0.01)


def test_a_day_costs_less_than_a_millisecond() -> None:
    model = climate(site("paranal-armazones"), STEP)
    draws = np.random.default_rng(1).standard_normal((5, 96))
    model.day(0, np.zeros(5), draws)
    times = []
    for _ in range(20):
        begin = time.process_time()
        model.day(0, np.zeros(5), draws)
        times.append(time.process_time() - begin)
    assert min(times) < 1e-3
