"""Mock targets: galaxies and stars that nobody observed, with the counts of those that were.

Nothing is stored. A field is drawn when asked for, from a counter-based generator (Philox; Salmon
et al. 2011, SC'11) keyed by a hash of (seed, name, purpose): a target is a pure function of its
home cell and its number there, the same in every order of asking.
"""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.cells import (
    CELL_AREA_SR,
    NSIDE,
    PART_RADIUS_RAD,
    cell_centre,
    cell_geometry,
    cell_of_vectors,
    cells_near,
    check_pixel,
    tangent_frame,
)
from wstdes.survey.draws import Drawn, clusters_near, draw_clustered, draw_motions, draw_uniform
from wstdes.survey.footprint import Footprint, galactic_latitude
from wstdes.survey.targets import ExposureLaw, ExposureTimes, InField, Targets

__all__ = ["GALAXY_COUNT_SLOPE", "MockGalaxies", "MockStars", "galaxy_counts_per_sr"]

FloatArray = NDArray[np.float64]

_ARCMIN_RAD = math.pi / 10_800.0
_DEG_RAD = math.pi / 180.0
_MAS_RAD = _DEG_RAD / 3.6e6
_INDEX_BITS = 32

_FARTHEST_RAD = 1e-4
"""More than any target moves in a run, by proper motion [rad]."""

_GALACTIC_POLE = np.array(
    [
        math.sin(float(galactic_latitude(ra, dec)))
        for ra, dec in ((0.0, 0.0), (0.5 * math.pi, 0.0), (0.0, 0.5 * math.pi))
    ]
)
"""The north Galactic pole, ICRS: the sines of latitude of the three axes."""

GALAXY_COUNT_SLOPE = 0.31
"""d log10 N(<i) / di: LSST Science Book v2.0 (2009), section 3.7.2."""

CLUSTER_REACH = 4.0
"""Where the Gaussian of a cluster is cut, in its own sigma (assumed): 0.03 % lie beyond."""


def galaxy_counts_per_sr(magnitude: FloatArray | float) -> FloatArray:
    """Return the number of galaxies brighter than an i magnitude [1/sr], shape of `magnitude`.

    N(<i) = 46 x 10^(0.31 (i - 25)) per square minute of arc: LSST Science Book v2.0 (2009,
    arXiv:0912.0201), section 3.7.2, made for 20.5 < i < 25.5; brighter than that it is used as an
    extrapolation.
    """
    exponent = GALAXY_COUNT_SLOPE * (np.asarray(magnitude, dtype=np.float64) - 25.0)
    return np.asarray(46.0 * 10.0**exponent / _ARCMIN_RAD**2)


class _Mock(ABC):
    """What the two mocks share: name, footprint, magnitudes from a power law, exposure times."""

    is_mock = True

    def __init__(
        self,
        name: str,
        footprint: Footprint,
        seed: int,
        magnitude_limits: tuple[float, float],
        required_s: ExposureLaw,
        slope_per_mag: float,
        epoch_yr: float,
    ) -> None:
        bright, faint = magnitude_limits
        if not (math.isfinite(bright) and math.isfinite(faint) and bright < faint):
            raise ValueError(f"magnitude limits {magnitude_limits}: need bright < faint")
        if not slope_per_mag > 0.0:
            raise ValueError(f"slope_per_mag is {slope_per_mag}: counts must rise with magnitude")
        self.name = name
        self.footprint = footprint
        self.seed = seed
        self.magnitude_limits = (float(bright), float(faint))
        self.slope_per_mag = slope_per_mag
        self.epoch_yr = epoch_yr
        self._key = random_key(seed, name, "targets")
        self._times = ExposureTimes(required_s, *self.magnitude_limits)

    @abstractmethod
    def _draw(
        self, cells: NDArray[np.int64], frame: FloatArray, tangent: float, year: float, full: bool
    ) -> Drawn:
        """Draw the targets that a field sees; see :func:`draw_clustered`."""

    def _reach(self) -> float:
        """How far from its home cell a target may be [rad]."""
        return 0.0

    def _motions(self, pixel: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Proper motions [rad/yr], shape (2, n)."""
        return np.zeros((2, len(index)), dtype=np.float32)

    def field(self, ra_rad: float, dec_rad: float, tangent: float, year: float) -> InField:
        """Return the targets in a field, where they are in a year; see :class:`TargetSource`."""
        frame, radius = tangent_frame(ra_rad, dec_rad), math.atan(tangent)
        if self.footprint.misses_cone(ra_rad, dec_rad, radius + _FARTHEST_RAD):
            return InField.empty()
        homes = cells_near(frame[2], radius + self._reach())
        whole = self.footprint.holds_cone(ra_rad, dec_rad, radius + _FARTHEST_RAD)
        pixel, index, xi, eta, word, vector, sizes = self._draw(
            homes, frame, tangent, year, not whole
        )
        if not whole:
            inside = self.footprint.contains(*_angles(vector))
            pixel, index, word = pixel[inside], index[inside], word[inside]
            xi, eta = xi[inside], eta[inside]
        magnitude = self._magnitudes(word) if self._times.need_magnitudes else word
        required = self._times.of(magnitude)
        by_cell = dict(zip(homes.tolist(), sizes.tolist(), strict=True))
        return InField(pixel, index, xi, eta, required, None, by_cell)

    def cell(self, pixel: int) -> Targets:
        """Return the targets in a cell, by home and number."""
        check_pixel(pixel)
        centre, outer, _ = cell_geometry()
        ra_rad, dec_rad = (float(x) for x in cell_centre(pixel))
        homes = cells_near(centre[pixel], float(outer[pixel]) + self._reach())
        frame, tangent = tangent_frame(ra_rad, dec_rad), math.tan(float(outer[pixel]))
        home, index, _, _, word, vector, _ = self._draw(homes, frame, tangent, self.epoch_yr, True)
        here = np.flatnonzero(cell_of_vectors(vector) == pixel)
        ra, dec = _angles(vector[here])
        here = here[self.footprint.contains(ra, dec)]
        ra, dec = _angles(vector[here])
        home, index, magnitude = home[here], index[here], self._magnitudes(word[here])
        motion = self._motions(home, index)
        low, high = (np.float32(limit) for limit in self.magnitude_limits)
        return Targets(
            (home << _INDEX_BITS) + index,
            ra,
            dec,
            np.clip(magnitude.astype(np.float32), low, high),
            self._times.of(magnitude),
            motion[0],
            motion[1],
        )

    def count(self, pixel: int) -> int:
        """Return how many targets are in a cell; costs as much as drawing it."""
        return len(self.cell(pixel))

    def _magnitudes(self, word: NDArray[np.uint32]) -> FloatArray:
        """Magnitudes from dN/dm ~ 10^(slope m) between the limits, by inversion."""
        bright, faint = self.magnitude_limits
        high = 10.0 ** (self.slope_per_mag * (faint - bright))
        above: FloatArray = np.log10(1.0 + (word + 0.5) * (2.0**-32 * (high - 1.0)))
        return bright + above / self.slope_per_mag


class MockGalaxies(_Mock):
    """Mock galaxies: published number counts, clustered by a Thomas process.

    Cluster centres are Poisson on the sphere; each has a Poisson number of galaxies, scattered
    about it on the tangent plane by a Gaussian cut at 4 sigma (Neyman & Scott 1958, JRSS B 20, 1;
    Thomas 1949, Biometrika 36, 18). The angular correlation is then, but for the cut,

        w(theta) = exp(-theta^2 / 4 sigma^2) / (4 pi sigma^2 kappa),

    with kappa the density of clusters: 0.09 at one minute of arc for the defaults, whatever the
    `sampling`. Clusters are those of the seed, the same for all surveys, which so trace the same
    structure. A galaxy's home is the cell of its cluster: clusters cross the borders of cells.

    Parameters
    ----------
    name : str
        What this source is called; part of the key of its random numbers.
    footprint : Footprint
        Only targets inside it are given.
    seed : int
        The seed of the run.
    magnitude_limits : (float, float)
        Bright and faint limit in i, AB.
    required_s : float or callable
        Exposure time [s], or a function of magnitude that gives it.
    sampling : float
        Fraction of all galaxies between the limits that the survey selects (assumed).
    cluster_sigma_rad : float
        Gaussian radius of a cluster on each axis [rad] (assumed: 2 arcmin).
    clusters_per_sr : float
        Density of cluster centres [1/sr] (assumed: 0.2 per square minute of arc).
    epoch_yr : float
        Julian year of the positions; mock galaxies do not move.

    Raises
    ------
    ValueError
        For a sampling outside (0, 1], limits out of order, or a cluster wider than 5 arcmin.
    """

    def __init__(
        self,
        name: str,
        footprint: Footprint,
        seed: int,
        *,
        magnitude_limits: tuple[float, float],
        required_s: ExposureLaw,
        sampling: float = 1.0,
        cluster_sigma_rad: float = 2.0 * _ARCMIN_RAD,
        clusters_per_sr: float = 0.2 / _ARCMIN_RAD**2,
        epoch_yr: float = 2016.0,
    ) -> None:
        super().__init__(
            name, footprint, seed, magnitude_limits, required_s, GALAXY_COUNT_SLOPE, epoch_yr
        )
        if not 0.0 < sampling <= 1.0:
            raise ValueError(f"sampling is {sampling}: a fraction in (0, 1]")
        if not 0.0 < cluster_sigma_rad <= 5.0 * _ARCMIN_RAD:
            raise ValueError(f"cluster_sigma_rad is {cluster_sigma_rad}: need (0, 5 arcmin]")
        if not clusters_per_sr > 0.0:
            raise ValueError(f"clusters_per_sr is {clusters_per_sr}: must be positive")
        self.sampling = sampling
        self.cluster_sigma_rad = cluster_sigma_rad
        self.clusters_per_sr = clusters_per_sr
        bright, faint = (float(galaxy_counts_per_sr(limit)) for limit in self.magnitude_limits)
        self.mean_per_sr = sampling * (faint - bright)
        self.credit = (
            "Mock galaxies of wstdes: counts of the LSST Science Book v2.0 (2009, "
            "arXiv:0912.0201, section 3.7.2), selection and clustering assumed; not observed"
        )

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the expected density [1/sr]: the law inside the footprint, none outside."""
        return np.where(self.footprint.contains(ra_rad, dec_rad), self.mean_per_sr, 0.0)

    def _reach(self) -> float:
        return math.atan(CLUSTER_REACH * self.cluster_sigma_rad)

    def _draw(
        self, cells: NDArray[np.int64], frame: FloatArray, tangent: float, year: float, full: bool
    ) -> Drawn:
        cosine = math.cos(math.atan(tangent) + self._reach())
        clusters = _clusters(self.seed, self.clusters_per_sr, tuple(frame[2]), cosine, tuple(cells))
        return draw_clustered(
            self._key,
            cells,
            clusters,
            self.mean_per_sr / self.clusters_per_sr,
            (self.cluster_sigma_rad, CLUSTER_REACH),
            frame,
            tangent,
            full,
        )


class MockStars(_Mock):
    """Mock stars: a plane-parallel disc and a power law of counts, unclustered.

    The density is `pole_per_sr` x min(csc abs(b), csc `plane_limit_rad`): what an exponential or
    any other plane-parallel disc shows without extinction, capped near the plane where a real
    disc ends and dust begins. Magnitudes follow dN/dm ~ 10^(slope m). All of it assumed.

    Parameters
    ----------
    name, footprint, seed, required_s
        As for :class:`MockGalaxies`.
    magnitude_limits : (float, float)
        Bright and faint limit in G.
    pole_per_sr : float, optional
        Density at the Galactic poles of the stars selected between the limits [1/sr]. By
        default 2,500 per deg^2 brighter than G = 20 (assumed), times `sampling`.
    sampling : float
        Fraction of those stars that the survey selects (assumed).
    slope_per_mag : float
        d log10 N(<m) / dm (assumed: 0.2, the mean of high latitudes between 14 and 20).
    plane_limit_rad : float
        abs(b) below which the density rises no further [rad] (assumed: 5 deg).
    proper_motion_rms_rad_per_yr : float
        Gaussian spread on each axis [rad/yr] (assumed: 5 mas/yr).
    epoch_yr : float
        Julian year of the positions.

    Raises
    ------
    ValueError
        For limits out of order, or a density, slope or cap that is not positive.
    """

    def __init__(
        self,
        name: str,
        footprint: Footprint,
        seed: int,
        *,
        magnitude_limits: tuple[float, float],
        required_s: ExposureLaw,
        pole_per_sr: float | None = None,
        sampling: float = 1.0,
        slope_per_mag: float = 0.2,
        plane_limit_rad: float = 5.0 * _DEG_RAD,
        proper_motion_rms_rad_per_yr: float = 5.0 * _MAS_RAD,
        epoch_yr: float = 2016.0,
    ) -> None:
        super().__init__(
            name, footprint, seed, magnitude_limits, required_s, slope_per_mag, epoch_yr
        )
        if not 0.0 < sampling <= 1.0:
            raise ValueError(f"sampling is {sampling}: a fraction in (0, 1]")
        if not 0.0 < plane_limit_rad <= 0.5 * math.pi:
            raise ValueError(f"plane_limit_rad is {plane_limit_rad}: need (0, pi/2]")
        if pole_per_sr is None:
            bright, faint = (10.0 ** (slope_per_mag * (m - 20.0)) for m in self.magnitude_limits)
            pole_per_sr = 2500.0 / _DEG_RAD**2 * (faint - bright)
        if not pole_per_sr > 0.0:
            raise ValueError(f"pole_per_sr is {pole_per_sr}: must be positive")
        self.pole_per_sr = sampling * pole_per_sr
        self.plane_limit_rad = plane_limit_rad
        self.proper_motion_rms_rad_per_yr = proper_motion_rms_rad_per_yr
        self.credit = (
            "Mock stars of wstdes: plane-parallel disc and power-law counts, assumed; not observed"
        )

    def _draw(
        self, cells: NDArray[np.int64], frame: FloatArray, tangent: float, year: float, full: bool
    ) -> Drawn:
        years = year - self.epoch_yr
        return draw_uniform(
            self._key,
            cells,
            NSIDE,
            (self.pole_per_sr * CELL_AREA_SR, math.sin(self.plane_limit_rad), PART_RADIUS_RAD),
            _GALACTIC_POLE,
            (self.proper_motion_rms_rad_per_yr, years),
            frame,
            (tangent, math.cos(math.atan(tangent) + PART_RADIUS_RAD)),
            full,
        )

    def _motions(self, pixel: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.float32]:
        return draw_motions(self._key, index, pixel, self.proper_motion_rms_rad_per_yr)

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the expected density [1/sr]: the law inside the footprint, none outside."""
        density = self._law(np.abs(galactic_latitude(ra_rad, dec_rad)))
        return np.where(self.footprint.contains(ra_rad, dec_rad), density, 0.0)

    def _law(self, latitude_rad: FloatArray) -> FloatArray:
        sine = np.sin(np.maximum(latitude_rad, self.plane_limit_rad))
        return np.asarray(self.pole_per_sr / sine, dtype=np.float64)


def random_key(seed: int, name: str, purpose: str) -> NDArray[np.int64]:
    """Return the two words of 32 bits that key the random numbers of a purpose."""
    text = f"{seed}\0{name}\0{purpose}".encode()
    return np.frombuffer(hashlib.blake2b(text, digest_size=8).digest(), dtype="<u4").astype(
        np.int64
    )


@lru_cache(maxsize=8)
def _clusters(
    seed: int,
    clusters_per_sr: float,
    axis: tuple[float, float, float],
    cosine: float,
    cells: tuple[int, ...],
) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    """Return the clusters near an axis: kept, as all surveys of a field ask for the same."""
    return clusters_near(
        random_key(seed, "", "clusters"),
        np.array(cells, dtype=np.int64),
        NSIDE,
        clusters_per_sr * CELL_AREA_SR,
        np.array(axis),
        cosine,
    )


def _angles(vector: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Right ascension and declination [rad] of unit vectors [n, 3]."""
    ra = np.arctan2(vector[:, 1], vector[:, 0])
    ra += np.where(ra < 0.0, 2.0 * math.pi, 0.0)
    return ra, np.arctan2(vector[:, 2], np.hypot(vector[:, 0], vector[:, 1]))
