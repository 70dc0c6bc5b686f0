"""Exposures that stop when enough is reached, and how a visit's time is split into them."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Split", "cosmic_ray_share", "remaining_open_s", "split_exposures"]

_MUONS_PER_M2_S = 5e4 / 60.0  # 5 a cm2 and minute at Cerro Tololo (Dark Energy Survey, R2)


@dataclass(frozen=True)
class Split:
    """Equal exposures.

    Parameters
    ----------
    count : int
        How many; 0 if there is no time for one.
    length_s : float
        Open-shutter time of each [s].
    effective_s : float
        Effective time that they give together [s].
    enough : bool
        Whether that is what was wanted.
    """

    count: int
    length_s: float
    effective_s: float
    enough: bool


def remaining_open_s(wanted_s: float, so_far_s: float, rate: float) -> float:
    """Open-shutter time until an exposure has enough, should conditions stay as they are.

    Parameters
    ----------
    wanted_s, so_far_s : float
        Effective time wanted, and reached [s].
    rate : float
        Effective over open-shutter time now.

    Returns
    -------
    float
        [s]; 0 when enough is reached, infinite where nothing comes in.
    """
    left = wanted_s - so_far_s
    if left <= 0.0:
        return 0.0
    return left / rate if rate > 0.0 else math.inf


def split_exposures(
    wanted_s: float,
    rate: float,
    *,
    longest_s: float,
    most: int,
    readout_s: float,
    available_s: float,
    shortest_s: float = 0.0,
    read_s: float = 0.0,
) -> Split:
    """How many exposures, and of what length, give the effective time still wanted.

    Parameters
    ----------
    wanted_s : float
        Effective time still wanted [s].
    rate : float
        Effective over open-shutter time expected, apart from read noise.
    longest_s, shortest_s : float
        Longest exposure, as cosmic rays allow (DESI: 20 min), and shortest that is worth it [s].
    most : int
        The most exposures.
    readout_s, available_s : float
        Time between exposures, and until dawn or setting; the last read-out may come later [s].
    read_s : float
        Time in which sky and dark current give the variance of one read
        (:func:`wstdes.models.instrument.read_noise_time` under the sky of the moment) [s].

    Returns
    -------
    Split
        The fewest equal exposures that are enough; else as much as time and number allow. n
        exposures that are open for t in all give rate x t^2 / (t + n read_s).
    """
    if wanted_s <= 0.0 or rate <= 0.0 or most < 1 or available_s <= 0.0 or longest_s <= 0.0:
        return Split(0, 0.0, 0.0, wanted_s <= 0.0)
    count, length, best = 0, 0.0, 0.0
    for n in range(1, most + 1):
        room = (available_s - (n - 1) * readout_s) / n
        if room < max(shortest_s, 0.0) or room <= 0.0:
            break
        need = (wanted_s + math.sqrt(wanted_s**2 + 4.0 * rate * wanted_s * n * read_s)) / (2 * rate)
        if need / n <= min(room, longest_s) * (1.0 + 1e-12):
            length = max(need / n, shortest_s)
            return Split(n, length, _effective(rate, n, length, read_s), True)
        given = _effective(rate, n, min(room, longest_s), read_s)
        if given <= best:
            break  # another read-out costs more than it gives
        count, length, best = n, min(room, longest_s), given
    return Split(count, length, best, False)


def _effective(rate: float, count: int, length_s: float, read_s: float) -> float:
    return rate * count * length_s**2 / (length_s + read_s)


def cosmic_ray_share(
    exposure_s: float,
    pixels: float = 1.0,
    pixel_m: float = 15e-6,
    pixels_hit: float = 5.0,
    per_m2_s: float = _MUONS_PER_M2_S,
) -> float:
    """Share of samples of a spectrum that a cosmic ray hits in an exposure.

    Parameters
    ----------
    exposure_s : float
        [s].
    pixels : float
        Pixels in a sample: those across a trace.
    pixel_m, pixels_hit : float
        Side of a pixel [m], and pixels that one ray touches (both assumed; thick CCDs have more).
    per_m2_s : float
        Rays by area and time [1/(m2 s)]: 5 a cm2 and minute, as the Dark Energy Survey expects
        at Cerro Tololo.

    Returns
    -------
    float
        1 - exp(-rays x pixels touched), for rays that come one by one.
    """
    hits = per_m2_s * exposure_s * pixel_m**2 * (pixels + pixels_hit - 1.0)
    return 1.0 - math.exp(-hits)
