"""Signal to noise of an extracted spectrum, and the time or brightness that gives one.

Rates are those of one pixel along the wavelength, summed across the trace. Bins of several pixels
have independent noise: S/N grows with the square root of their number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Background", "exposure_time", "limiting_rate", "read_noise_time", "signal_to_noise"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Background:
    """What adds noise beside the source.

    Parameters
    ----------
    sky_e_per_s, dark_e_per_s : float
        Charge of the sky and of the dark current [electron/s].
    read_e2 : float
        Variance of one read [electron^2].
    read_interval_s : float
        Longest time between reads; exposures are split so that none is longer [s].
    """

    sky_e_per_s: float
    dark_e_per_s: float
    read_e2: float
    read_interval_s: float

    @property
    def rate_e_per_s(self) -> float:
        """Variance that grows with time [electron^2/s]."""
        return self.sky_e_per_s + self.dark_e_per_s

    def reads(self, time_s: Array | float) -> Array:
        """How often the detector is read in a time."""
        return np.asarray(np.maximum(1.0, np.ceil(np.asarray(time_s) / self.read_interval_s)))

    def variance_e2(self, time_s: Array | float) -> Array:
        """Variance of sky and detector after a time [electron^2]."""
        return np.asarray(self.rate_e_per_s * time_s + self.reads(time_s) * self.read_e2)


def signal_to_noise(
    source_e_per_s: Array | float,
    background: Background,
    time_s: Array | float,
    pixels: float = 1.0,
) -> Array:
    """Signal to noise after a time.

    Parameters
    ----------
    source_e_per_s : float or ndarray of float64
        Charge from the source in a pixel along the wavelength [electron/s].
    background : Background
        Of the same pixel.
    time_s : float or ndarray of float64
        Open-shutter time, above 0 [s].
    pixels : float
        Pixels along the wavelength that are summed.

    Returns
    -------
    ndarray of float64
        sqrt(pixels) S t / sqrt((S + sky + dark) t + reads x read noise^2); the sky is subtracted
        without noise of its own.
    """
    charge = np.asarray(source_e_per_s) * time_s
    noise = np.sqrt(charge + background.variance_e2(time_s))
    return np.asarray(np.sqrt(pixels) * charge / np.where(noise > 0.0, noise, np.inf))


def exposure_time(
    source_e_per_s: Array | float, background: Background, snr: float, pixels: float = 1.0
) -> Array:
    """Open-shutter time that gives a signal to noise: inverse of :func:`signal_to_noise`.

    Parameters
    ----------
    source_e_per_s, background, pixels
        See :func:`signal_to_noise`.
    snr : float
        Above 0.

    Returns
    -------
    ndarray of float64
        [s]; infinite without light. With q = snr^2 / pixels, V all rates together and n reads of
        variance R, t = (q V + sqrt(q^2 V^2 + 4 S^2 q n R)) / (2 S^2). The number of reads is the
        least that is enough, found without iteration: the time that n would need rises slower
        than n does, so n is the time over the interval between reads, rounded up, where reads
        are counted as a continuous rate.
    """
    source = np.asarray(source_e_per_s, dtype=np.float64)
    q = snr**2 / pixels
    interval, read = background.read_interval_s, background.read_e2
    total = source + background.rate_e_per_s
    square = np.where(source > 0.0, source, 1.0) ** 2
    smooth = q * (total + read / interval) / square
    # The last digits must not cost a read.
    reads = np.maximum(1.0, np.ceil(smooth / interval * (1.0 - 1e-12)))
    time = (q * total + np.sqrt((q * total) ** 2 + 4.0 * square * q * reads * read)) / (2 * square)
    return np.asarray(np.where(source > 0.0, time, np.inf))


def limiting_rate(
    background: Background, snr: float, time_s: Array | float, pixels: float = 1.0
) -> Array:
    """Charge from the faintest source that reaches a signal to noise in a time [electron/s].

    Parameters
    ----------
    background, pixels
        See :func:`signal_to_noise`.
    snr : float
        Above 0.
    time_s : float or ndarray of float64
        Above 0 [s].

    Returns
    -------
    ndarray of float64
        S = (q + sqrt(q^2 + 4 q variance)) / (2 t), q = snr^2 / pixels.
    """
    q = snr**2 / pixels
    return np.asarray((q + np.sqrt(q**2 + 4.0 * q * background.variance_e2(time_s))) / (2 * time_s))


def read_noise_time(background: Background) -> float:
    """Time in which sky and dark current give the variance of one read [s].

    Exposures much longer than this lose nothing by a read more.
    """
    rate = background.rate_e_per_s
    return background.read_e2 / rate if rate > 0.0 else np.inf
