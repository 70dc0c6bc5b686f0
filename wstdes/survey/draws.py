"""Mock targets as pure functions of counters: compiled, so that a field takes milliseconds.

Random words come from Philox4x32-10 (Salmon et al. 2011, SC'11), whose answer depends on nothing
but a key and a counter: a target is drawn alone, in any order, by any thread, without a state. The
counter is (number in the cell, cell, purpose, draw). Positions in a cell follow HEALPix's own
coordinates (Gorski et al. 2005, ApJ 622, 759, section 5), which have equal areas.

Functions that call each other share this file: compiled code is renewed when its own file changes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit

__all__ = [
    "PARTS",
    "clusters_near",
    "draw_clustered",
    "draw_clusters",
    "draw_motions",
    "draw_uniform",
    "philox",
    "place",
    "poisson",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Drawn = tuple[IntArray, IntArray, FloatArray, FloatArray, NDArray[np.uint32], FloatArray, IntArray]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_QUARTER = np.uint64((1 << 30) - 1)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)

# Purposes: the third word of the counter.
_TARGET, _MOTION, _CLUSTER_COUNT, _CLUSTER, _CHILDREN, _COUNT = 0, 1, 2, 3, 4, 5

_ROW = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_COLUMN = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])

_POISSON_MOST = 32.0
"""Mean of a Poisson number drawn at once: a greater one is a sum of such."""

_FARTHEST = 1e-4
"""More than any target moves, by proper motion in a run [rad]."""

PARTS = 4
"""Parts of a cell along each side, in which unclustered targets are drawn."""


@njit
def philox(
    k0: int, k1: int, c0: int, c1: int, c2: int, c3: int
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Four random words of 32 bits, as uint64, of a key and a counter of such words."""
    a, b, c, d = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    key0, key1 = np.uint64(k0), np.uint64(k1)
    for _ in range(10):
        product0, product1 = _M0 * a, _M1 * c
        a, b, c, d = (
            (product1 >> _HALF) ^ b ^ key0,
            product1 & _LOW,
            (product0 >> _HALF) ^ d ^ key1,
            product0 & _LOW,
        )
        key0, key1 = (key0 + _W0) & _LOW, (key1 + _W1) & _LOW
    return a, b, c, d


@njit
def _unit(word: np.uint64) -> float:
    """A word as a number in (0, 1)."""
    return (np.float64(word) + 0.5) * 2.0**-32


@njit
def _circle(word: np.uint64) -> tuple[float, float]:
    """A random direction: cosine and sine, by their series about a quadrant's middle, to 1e-9."""
    quarter = (np.float64(word & _QUARTER) + 0.5) * 2.0**-30 - 0.5
    t = 0.5 * math.pi * quarter
    s = t * t
    sine = t * (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72))))
    cosine = 1 - s / 2 * (1 - s / 12 * (1 - s / 30 * (1 - s / 56 * (1 - s / 90))))
    turn = word >> np.uint64(30)
    if turn == 0:
        return cosine, sine
    if turn == 1:
        return -sine, cosine
    if turn == 2:
        return -cosine, -sine
    return sine, -cosine


@njit
def poisson(k0: int, k1: int, c0: int, c1: int, c2: int, mean: float) -> int:
    """A Poisson number, by inversion, of a key and of three words of a counter."""
    parts = int(mean / _POISSON_MOST) + 1
    mean /= parts
    none = math.exp(-mean)
    total = 0
    for part in range(parts):
        a, b, _, _ = philox(k0, k1, c0, c1, c2, part)
        uniform = (np.float64(a) + np.float64(b) * 2.0**-32) * 2.0**-32
        chance, below, number = none, none, 0
        while uniform >= below and number < 200:  # 200 is 30 sigma above the mean
            number += 1
            chance *= mean / number
            below += chance
        total += number
    return total


@njit
def _corner(pixel: int, nside: int) -> tuple[int, int, int]:
    """Base pixel of a cell numbered as nested, and its column and row there."""
    face = pixel // (nside * nside)
    rest = pixel - face * nside * nside
    ix = iy = 0
    for bit in range(16):
        ix |= ((rest >> (2 * bit)) & 1) << bit
        iy |= ((rest >> (2 * bit + 1)) & 1) << bit
    return face, ix, iy


@njit
def _point(face: int, x: float, y: float) -> tuple[float, float, float]:
    """Unit vector of a point of a base pixel, of which `x` and `y` in [0, 1] are shares."""
    row = _ROW[face] - x - y
    if row < 1.0:
        ring, z = row, 1.0 - row * row / 3.0
    elif row > 3.0:
        ring = 4.0 - row
        z = ring * ring / 3.0 - 1.0
    else:
        ring, z = 1.0, (2.0 - row) * 2.0 / 3.0
    sine = ring * math.sqrt((2.0 - ring * ring / 3.0) / 3.0) if ring < 1.0 else math.sqrt(1 - z * z)
    angle = 0.25 * math.pi * (_COLUMN[face] + (x - y) / ring) if ring > 0.0 else 0.0
    return sine * math.cos(angle), sine * math.sin(angle), z


@njit
def place(pixel: int, nside: int, u: float, v: float) -> tuple[float, float, float]:
    """Unit vector of a point of a cell, numbered as nested.

    `u` and `v` in [0, 1] lead from the cell's southern corner to the east and to the west.
    """
    face, ix, iy = _corner(pixel, nside)
    return _point(face, (ix + u) / nside, (iy + v) / nside)


@njit
def draw_clusters(key: IntArray, pixel: int, nside: int, mean: float) -> FloatArray:
    """Clusters centred in a cell: unit vectors, shape (n, 3)."""
    number = poisson(key[0], key[1], 0, pixel, _CLUSTER_COUNT, mean)
    centres = np.empty((number, 3))
    face, ix, iy = _corner(pixel, nside)
    for i in range(number):
        a, b, _, _ = philox(key[0], key[1], i, pixel, _CLUSTER, 0)
        x, y, z = _point(face, (ix + _unit(a)) / nside, (iy + _unit(b)) / nside)
        centres[i, 0], centres[i, 1], centres[i, 2] = x, y, z
    return centres


@njit
def clusters_near(
    key: IntArray, cells: IntArray, nside: int, mean: float, axis: FloatArray, cosine: float
) -> tuple[FloatArray, IntArray, IntArray]:
    """Clusters near an axis, the place of their cell and their number in it, and all numbers.

    Parameters
    ----------
    key : ndarray of int64, shape (2,)
        Of the clusters.
    cells : ndarray of int64, shape (k,)
        Where they may be.
    nside : int
        Of the cells.
    mean : float
        Clusters in a cell.
    axis, cosine
        Only clusters at least this near are given.

    Returns
    -------
    centres : ndarray of float64, shape (n, 3)
        Unit vectors.
    homes : ndarray of int64, shape (n, 2)
        Place in `cells`, and number in the cell; ascending.
    numbers : ndarray of int64, shape (k,)
        Clusters in each cell, near or not.
    """
    numbers = np.zeros(len(cells), dtype=np.int64)
    for k, pixel in enumerate(cells):
        numbers[k] = poisson(key[0], key[1], 0, pixel, _CLUSTER_COUNT, mean)
    centres = np.empty((numbers.sum(), 3))
    homes = np.empty((numbers.sum(), 2), dtype=np.int64)
    near = 0
    for k, pixel in enumerate(cells):
        found = draw_clusters(key, pixel, nside, mean)
        for i in range(len(found)):
            if found[i, 0] * axis[0] + found[i, 1] * axis[1] + found[i, 2] * axis[2] >= cosine:
                for j in range(3):
                    centres[near, j] = found[i, j]
                homes[near, 0], homes[near, 1] = k, i
                near += 1
    return centres[:near], homes[:near], numbers


@njit
def _members(key: IntArray, cells: IntArray, numbers: IntArray, mean: float) -> IntArray:
    """First target of each cluster of some cells, end to end: Poisson numbers of one mean."""
    parts = int(mean / _POISSON_MOST) + 1
    below = np.empty(200)  # 200 is 30 sigma above the greatest mean
    chance = below[0] = math.exp(-mean / parts)
    for number in range(1, 200):
        chance *= mean / parts / number
        below[number] = below[number - 1] + chance
    first = np.zeros(numbers.sum() + 1, dtype=np.int64)
    at = 0
    for k, pixel in enumerate(cells):
        for i in range(numbers[k]):
            total = 0
            for part in range(parts):
                a, b, _, _ = philox(key[0], key[1], i, pixel, _CHILDREN, part)
                uniform = (np.float64(a) + np.float64(b) * 2.0**-32) * 2.0**-32
                number = 0
                while number < 199 and uniform >= below[number]:
                    number += 1
                total += number
            first[at + 1] = first[at] + total
            at += 1
    return first


@njit
def draw_clustered(
    key: IntArray,
    cells: IntArray,
    clusters: tuple[FloatArray, IntArray, IntArray],
    mean: float,
    shape: tuple[float, float],
    frame: FloatArray,
    tangent: float,
    full: bool,
) -> Drawn:
    """Draw the targets of clusters that a field sees.

    Parameters
    ----------
    key : ndarray of int64, shape (2,)
        Of this source.
    cells : ndarray of int64, shape (k,)
        All cells that hold a cluster which reaches the field.
    clusters : tuple of ndarray
        Of those cells: from :func:`clusters_near`.
    mean : float
        Targets in a cluster.
    shape : tuple of float
        Gaussian radius of a cluster [rad], and where it is cut in its own sigma.
    frame : ndarray of float64, shape (3, 3)
        East, north and axis of the field, a row each.
    tangent : float
        Of the field's radius.
    full : bool
        Whether unit vectors are wanted.

    Returns
    -------
    pixel, index : ndarray of int64, shape (n,)
        Home of each target: its cluster's cell, and its number there.
    xi, eta : ndarray of float64, shape (n,)
        On the tangent plane, to the east and to the north.
    word : ndarray of uint32, shape (n,)
        Random, for the magnitude.
    vector : ndarray of float64, shape (n or 0, 3)
        On the sphere.
    sizes : ndarray of int64, shape (k,)
        Targets at home in each cell.
    """
    centres, homes, numbers = clusters
    first = _members(key, cells, numbers, mean)
    begin = np.cumsum(numbers) - numbers
    room = 0
    for c in range(len(centres)):
        at = begin[homes[c, 0]] + homes[c, 1]
        room += first[at + 1] - first[at]
    pixel, index = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    xi, eta = np.empty(room), np.empty(room)
    word = np.empty(room, dtype=np.uint32)
    vector = np.empty((room if full else 0, 3))
    kept = 1.0 - math.exp(-0.5 * shape[1] ** 2)
    axes, seen = np.zeros((3, 3)), np.zeros((3, 3))
    far, n = tangent * tangent, 0
    for c in range(len(centres)):
        p, k = centres[c], homes[c, 0]
        at, base = begin[k] + homes[c, 1], first[begin[k]]
        across = max(math.hypot(p[0], p[1]), 1e-300)
        axes[1, 0], axes[1, 1] = -p[1] / across, p[0] / across
        axes[2, 0], axes[2, 1], axes[2, 2] = -p[2] * axes[1, 1], p[2] * axes[1, 0], across
        for j in range(3):
            axes[0, j] = p[j]
        for i in range(3):  # the cluster's axes, as the field has them
            for j in range(3):
                f = frame[j]
                seen[i, j] = axes[i, 0] * f[0] + axes[i, 1] * f[1] + axes[i, 2] * f[2]
        for i in range(first[at] - base, first[at + 1] - base):
            a, b, w, _ = philox(key[0], key[1], i, cells[k], _TARGET, 0)
            radius = shape[0] * math.sqrt(-2.0 * math.log(1.0 - _unit(a) * kept))
            cosine, sine = _circle(b)
            x, y = radius * cosine, radius * sine
            towards = seen[0, 2] + x * seen[1, 2] + y * seen[2, 2]
            xi[n] = (seen[0, 0] + x * seen[1, 0] + y * seen[2, 0]) / towards
            eta[n] = (seen[0, 1] + x * seen[1, 1] + y * seen[2, 1]) / towards
            if xi[n] * xi[n] + eta[n] * eta[n] > far or towards <= 0.0:
                continue
            pixel[n], index[n], word[n] = cells[k], i, w
            if full:
                scale = 1.0 / math.sqrt(1.0 + radius * radius)
                for j in range(3):
                    vector[n, j] = (axes[0, j] + x * axes[1, j] + y * axes[2, j]) * scale
            n += 1
    sizes = first[begin + numbers] - first[begin]
    return pixel[:n], index[:n], xi[:n], eta[:n], word[:n], vector[:n], sizes


@njit
def draw_motion(key: IntArray, index: int, pixel: int, rms: float) -> tuple[float, float]:
    """Proper motion of a target to the east and north, in units of `rms` (Box & Muller 1958)."""
    a, b, _, _ = philox(key[0], key[1], index, pixel, _MOTION, 0)
    size = rms * math.sqrt(-2.0 * math.log(_unit(a)))
    cosine, sine = _circle(b)
    return size * cosine, size * sine


@njit
def _shift(p: tuple[float, float, float], east: float, north: float) -> tuple[float, float, float]:
    """A unit vector moved along its tangent: no longer of length one."""
    across = max(math.hypot(p[0], p[1]), 1e-300)
    cos_ra, sin_ra = p[0] / across, p[1] / across
    return (
        p[0] - east * sin_ra - north * p[2] * cos_ra,
        p[1] + east * cos_ra - north * p[2] * sin_ra,
        p[2] + north * across,
    )


@njit
def _tangent(frame: FloatArray, p: tuple[float, float, float]) -> tuple[float, float, float]:
    """Gnomonic projection of a vector, and its component along the axis."""
    towards = p[0] * frame[2, 0] + p[1] * frame[2, 1] + p[2] * frame[2, 2]
    xi = p[0] * frame[0, 0] + p[1] * frame[0, 1] + p[2] * frame[0, 2]
    eta = p[0] * frame[1, 0] + p[1] * frame[1, 1] + p[2] * frame[1, 2]
    return xi / towards, eta / towards, towards


@njit
def _law(law: tuple[float, float], pole: FloatArray, x: float, y: float, z: float) -> float:
    """Density at a point: that of the pole over the sine of its latitude, which has a floor."""
    sine: float = abs(pole[0] * x + pole[1] * y + pole[2] * z)
    return law[0] / max(sine, law[1])


@njit
def draw_uniform(
    key: IntArray,
    cells: IntArray,
    nside: int,
    law: tuple[float, float, float],
    pole: FloatArray,
    motion: tuple[float, float],
    frame: FloatArray,
    limits: tuple[float, float],
    full: bool,
) -> Drawn:
    """Draw the unclustered targets that a field sees; a numbered place may be empty.

    Parameters
    ----------
    key, cells, nside, frame, full
        As for :func:`draw_clustered`.
    law : tuple of float
        Targets in a cell at the pole, least sine of latitude, radius of a cell's part [rad].
    pole : ndarray of float64, shape (3,)
        Of the Galaxy.
    motion : tuple of float
        Root mean square proper motion on each axis [rad/yr], and the years it has lasted.
    limits : tuple of float
        Tangent of the field's radius; cosine of how far from the axis a part's centre matters.

    Returns
    -------
    pixel, index, xi, eta, word, vector, sizes
        As for :func:`draw_clustered`; vectors are those before any motion.
    """
    fine, parts = nside * PARTS, PARTS * PARTS
    sizes = np.zeros(len(cells), dtype=np.int64)
    first, count = np.zeros((2, len(cells), parts), dtype=np.int64)
    near, most = np.zeros((len(cells), parts), dtype=np.bool_), np.zeros((len(cells), parts))
    axis, room = frame[2], 0
    for k, cell in enumerate(cells):
        for part in range(parts):
            x, y, z = place(cell * parts + part, fine, 0.5, 0.5)
            sine = abs(pole[0] * x + pole[1] * y + pole[2] * z)
            most[k, part] = law[0] / max(sine - law[2], law[1])  # a sine changes less than its arc
            mean = most[k, part] / parts
            count[k, part] = poisson(key[0], key[1], part, cell, _COUNT, mean)
            first[k, part] = sizes[k]
            sizes[k] += count[k, part]
            near[k, part] = x * axis[0] + y * axis[1] + z * axis[2] >= limits[1]
            if near[k, part]:
                room += count[k, part]
    pixel, index = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    xi, eta = np.empty(room), np.empty(room)
    word = np.empty(room, dtype=np.uint32)
    vector = np.empty((room if full else 0, 3))
    far, n = limits[0] ** 2, 0
    cosine = math.cos(math.atan(limits[0]) + _FARTHEST)
    for k, cell in enumerate(cells):
        for part in range(parts):
            if not near[k, part]:
                continue
            face, ix, iy = _corner(cell * parts + part, fine)
            for i in range(first[k, part], first[k, part] + count[k, part]):
                a, b, w, chance = philox(key[0], key[1], i, cell, _TARGET, 0)
                p = _point(face, (ix + _unit(a)) / fine, (iy + _unit(b)) / fine)
                if _unit(chance) * most[k, part] >= _law((law[0], law[1]), pole, p[0], p[1], p[2]):
                    continue
                towards = p[0] * axis[0] + p[1] * axis[1] + p[2] * axis[2]
                if towards < cosine:
                    continue
                moved = p
                if motion[0] > 0.0 and motion[1] != 0.0:
                    east, north = draw_motion(key, i, cell, motion[0] * motion[1])
                    moved = _shift(p, east, north)
                xi[n], eta[n], _ = _tangent(frame, moved)
                if xi[n] * xi[n] + eta[n] * eta[n] > far:
                    continue
                pixel[n], index[n], word[n] = cell, i, w
                if full:
                    vector[n, 0], vector[n, 1], vector[n, 2] = p[0], p[1], p[2]
                n += 1
    return pixel[:n], index[:n], xi[:n], eta[:n], word[:n], vector[:n], sizes


@njit
def draw_motions(
    key: IntArray, index: IntArray, pixel: IntArray, rms: float
) -> NDArray[np.float32]:
    """Proper motions of targets, east and north, shape (2, n), in units of `rms`."""
    motion = np.empty((2, len(index)), dtype=np.float32)
    for i in range(len(index)):
        motion[0, i], motion[1, i] = draw_motion(key, index[i], pixel[i], rms)
    return motion
