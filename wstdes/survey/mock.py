"""Mock targets: galaxies and stars that nobody observed, with the counts of those that were.

Nothing is stored. A cell is drawn when asked for, from a counter-based generator (Philox; Salmon
et al. 2011, SC'11) keyed by a hash of (seed, name, purpose, pixel): the same cell comes out the
same on every machine and in every order of asking.
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.footprint import Footprint, galactic_latitude
from wstdes.survey.targets import (
    CELL_AREA_SR,
    NSIDE,
    ExposureLaw,
    Targets,
    cell_centre,
    cell_geometry,
    check_pixel,
    distance_to_cell,
    required_times,
    unit_vectors,
)

__all__ = ["GALAXY_COUNT_SLOPE", "MockGalaxies", "MockStars", "galaxy_counts_per_sr"]

FloatArray = NDArray[np.float64]

_ARCMIN_RAD = math.pi / 10_800.0
_DEG_RAD = math.pi / 180.0
_MAS_RAD = _DEG_RAD / 3.6e6
_INDEX_BITS = 32

GALAXY_COUNT_SLOPE = 0.31
"""d log10 N(<i) / di: LSST Science Book v2.0 (2009), section 3.7.2."""

CLUSTER_REACH = 4.0
"""Where the Gaussian of a cluster is cut, in its own sigma (assumed)."""

CLUSTER_KEPT = math.erf(CLUSTER_REACH / math.sqrt(2.0)) - (
    math.sqrt(2.0 / math.pi) * CLUSTER_REACH * math.exp(-0.5 * CLUSTER_REACH**2)
)
"""What the cut leaves of a Gaussian in three dimensions; the rest is made up for in the mean."""


def galaxy_counts_per_sr(magnitude: FloatArray | float) -> FloatArray:
    """Return the number of galaxies brighter than an i magnitude [1/sr], shape of `magnitude`.

    N(<i) = 46 x 10^(0.31 (i - 25)) per square minute of arc: LSST Science Book v2.0 (2009,
    arXiv:0912.0201), section 3.7.2, made for 20.5 < i < 25.5; brighter than that it is used as an
    extrapolation.
    """
    exponent = GALAXY_COUNT_SLOPE * (np.asarray(magnitude, dtype=np.float64) - 25.0)
    return np.asarray(46.0 * 10.0**exponent / _ARCMIN_RAD**2)


class _Mock:
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
        self.required_s = required_s
        self.slope_per_mag = slope_per_mag
        self.epoch_yr = epoch_yr

    def _magnitudes(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Draw from dN/dm ~ 10^(slope m) between the limits, by inversion."""
        bright, faint = self.magnitude_limits
        low, high = 1.0, 10.0 ** (self.slope_per_mag * (faint - bright))
        above: FloatArray = np.log10(low + rng.random(size) * (high - low))
        return bright + above / self.slope_per_mag

    def _targets(
        self, pixel: int, rng: np.random.Generator, ra: FloatArray, dec: FloatArray, pm_rms: float
    ) -> Targets:
        """Dress positions as targets, and drop those outside the footprint.

        Dropped last, so that moving the footprint changes no target that stays.
        """
        size = len(ra)
        magnitude = self._magnitudes(rng, size)
        if pm_rms > 0.0:
            motion = (rng.standard_normal((2, size)) * pm_rms).astype(np.float32)
        else:
            motion = np.zeros((2, size), dtype=np.float32)
        low, high = (np.float32(limit) for limit in self.magnitude_limits)
        targets = Targets(
            (np.int64(pixel) << _INDEX_BITS) + np.arange(size, dtype=np.int64),
            ra,
            dec,
            np.clip(magnitude.astype(np.float32), low, high),
            required_times(self.required_s, magnitude),
            motion[0],
            motion[1],
        )
        if self.footprint.holds_cone(*cell_centre(pixel), float(cell_geometry()[1][pixel])):
            return targets
        inside = self.footprint.contains(ra, dec)
        return targets if inside.all() else targets.take(inside)


class MockGalaxies(_Mock):
    """Mock galaxies: published number counts, clustered by a Thomas process.

    Cluster centres are Poisson on the sphere; each has a Poisson number of galaxies, scattered
    about it in space by a Gaussian cut at 4 sigma and projected on the sphere (Neyman & Scott
    1958, JRSS B 20, 1; Thomas 1949, Biometrika 36, 18). The angular correlation is then, but for
    the cut,

        w(theta) = exp(-theta^2 / 4 sigma^2) / (4 pi sigma^2 kappa),

    with kappa the density of clusters: 0.09 at one minute of arc for the defaults, whatever the
    `sampling`. Centres are drawn once per pixel and shared by its neighbours, so clusters cross
    the borders of cells; each cell then draws its own share of every cluster's galaxies. As the
    shares of a Poisson number are independent, that is the same process as drawing them at once.

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

    def cell(self, pixel: int) -> Targets:
        """Return the galaxies in a cell."""
        check_pixel(pixel)
        rng = _generator(self.seed, self.name, "galaxies", pixel)
        children = self._children(pixel, rng)
        ra = np.arctan2(children[:, 1], children[:, 0])
        ra += np.where(ra < 0.0, 2.0 * math.pi, 0.0)
        dec = np.arctan2(children[:, 2], np.hypot(children[:, 0], children[:, 1]))
        return self._targets(pixel, rng, ra, dec, 0.0)

    def count(self, pixel: int) -> int:
        """Return how many galaxies are in a cell; costs as much as drawing it."""
        return len(self.cell(pixel))

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the expected density [1/sr]: the law inside the footprint, none outside."""
        return np.where(self.footprint.contains(ra_rad, dec_rad), self.mean_per_sr, 0.0)

    def _children(self, pixel: int, rng: np.random.Generator) -> FloatArray:
        """Draw the galaxies of a cell as unit vectors [n, 3]."""
        parents = self._parents_near(pixel)
        mean = self.mean_per_sr / self.clusters_per_sr * len(parents) / CLUSTER_KEPT
        size = int(rng.poisson(mean))
        kick = rng.standard_normal((size, 3))
        children: FloatArray = parents.take(rng.integers(0, max(len(parents), 1), size), axis=0)
        children += self.cluster_sigma_rad * kick
        children /= np.sqrt(np.einsum("ij,ij->i", children, children))[:, None]
        kept = _in_cell(pixel, children)
        kick = kick.take(kept, axis=0)
        near = np.einsum("ij,ij->i", kick, kick) <= CLUSTER_REACH**2
        inside: FloatArray = children.take(kept[near], axis=0)
        return inside

    def _parents_near(self, pixel: int) -> FloatArray:
        """Return the clusters that can reach a cell, unit vectors [n, 3]."""
        reach = math.asin(CLUSTER_REACH * self.cluster_sigma_rad)
        return _clusters_near(self.seed, self.clusters_per_sr, reach, pixel)


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

    def cell(self, pixel: int) -> Targets:
        """Return the stars in a cell."""
        check_pixel(pixel)
        rng = _generator(self.seed, self.name, "stars", pixel)
        ra_centre, dec_centre = cell_centre(pixel)
        latitude = abs(float(galactic_latitude(ra_centre, dec_centre)))
        nearest = max(latitude - float(cell_geometry()[1][pixel]), 0.0)
        most = float(self._law(np.asarray(nearest)))
        ra, dec = _uniform_in_cell(rng, pixel, int(rng.poisson(most * CELL_AREA_SR)))
        kept = rng.random(len(ra)) * most < self._law(np.abs(galactic_latitude(ra, dec)))
        motion = self.proper_motion_rms_rad_per_yr
        return self._targets(pixel, rng, ra[kept], dec[kept], motion)

    def count(self, pixel: int) -> int:
        """Return how many stars are in a cell; costs as much as drawing it."""
        return len(self.cell(pixel))

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the expected density [1/sr]: the law inside the footprint, none outside."""
        density = self._law(np.abs(galactic_latitude(ra_rad, dec_rad)))
        return np.where(self.footprint.contains(ra_rad, dec_rad), density, 0.0)

    def _law(self, latitude_rad: FloatArray) -> FloatArray:
        sine = np.sin(np.maximum(latitude_rad, self.plane_limit_rad))
        return np.asarray(self.pole_per_sr / sine, dtype=np.float64)


def _generator(seed: int, name: str, purpose: str, pixel: int) -> np.random.Generator:
    text = f"{seed}\0{name}\0{purpose}\0{pixel}".encode()
    key = np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key.astype(np.uint64)))


def _uniform_in_cell(
    rng: np.random.Generator, pixel: int, size: int
) -> tuple[FloatArray, FloatArray]:
    """Draw positions [rad] uniform in a cell: HEALPix's own coordinates have equal areas."""
    from astropy_healpix.core import healpix_to_lonlat

    dx, dy = rng.random((2, size))
    lon, lat = healpix_to_lonlat(np.full(size, pixel), NSIDE, dx=dx, dy=dy, order="nested")
    return np.asarray(lon.value, dtype=np.float64), np.asarray(lat.value, dtype=np.float64)


@lru_cache(maxsize=256)
def _clusters_near(seed: int, clusters_per_sr: float, reach_rad: float, pixel: int) -> FloatArray:
    """Return the clusters that can reach a cell from within a distance, unit vectors [n, 3]."""
    own, *others = (_parents(seed, clusters_per_sr, one) for one in _ring(pixel))
    around = np.concatenate(others)
    centre, outer, _ = cell_geometry()
    around = around[around @ centre[pixel] >= math.cos(outer[pixel] + reach_rad)]
    return np.concatenate((own, around[distance_to_cell(pixel, around) <= reach_rad]))


@lru_cache(maxsize=1024)
def _parents(seed: int, clusters_per_sr: float, pixel: int) -> FloatArray:
    """Draw the clusters centred in a cell, unit vectors [n, 3].

    A pure function of its arguments, so that what the cache forgets comes back the same. The
    clusters of a seed are the same for all surveys, which so trace the same structure.
    """
    rng = _generator(seed, "", "clusters", pixel)
    size = int(rng.poisson(clusters_per_sr * CELL_AREA_SR))
    parents = unit_vectors(*_uniform_in_cell(rng, pixel, size))
    parents.flags.writeable = False
    return parents


@lru_cache(maxsize=4096)
def _ring(pixel: int) -> tuple[int, ...]:
    """Return a cell and those around it: eight, or seven at a corner of three base pixels."""
    from astropy_healpix.core import neighbours

    with np.errstate(invalid="ignore"):
        around = np.asarray(neighbours(pixel, NSIDE, order="nested")).ravel()
    return (pixel, *(int(one) for one in around if one >= 0))


def _in_cell(pixel: int, vectors: FloatArray) -> NDArray[np.intp]:
    """Return the indices of the unit vectors [n, 3] that lie in a cell, ascending.

    Only those between the circle inside the cell and the one around it need the exact answer.
    """
    from astropy_healpix.core import xyz_to_healpix

    centre, outer, inner = cell_geometry()
    cosine = vectors @ centre[pixel]
    inside = cosine > math.cos(inner[pixel])
    unsure = np.flatnonzero(~inside & (cosine > math.cos(outer[pixel])))
    x, y, z = vectors[unsure].T
    inside[unsure] = xyz_to_healpix(x, y, z, NSIDE, order="nested") == pixel
    return np.flatnonzero(inside)
