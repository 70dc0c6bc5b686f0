"""The season in slots of time and classes of tiles: what policies that look ahead plan with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.models.instrument import effective_rate
from wstdes.models.sky import airmass
from wstdes.models.sky.brightness import (
    PATAT_DARK_MAG,
    moonlight_nl,
    nanolambert,
    twilight_excess,
)
from wstdes.policies.views import SeasonView, SurveyView

__all__ = ["Classes", "Programme", "Slots", "Work", "pressure", "programmes", "typical_sky"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
_TURN = 2.0 * np.pi
_YEAR_NIGHTS = 365.25
_TYPICAL_ALTITUDE, _TYPICAL_SEPARATION = np.radians(60.0), np.radians(75.0)
_LEAST_WORK = 1e-9
"""Targets, or shares of a field, below which a tile is done."""
_LEAST_LIGHT = 0.01
"""Progress, over that without dust, below which no night makes good what dust takes."""


def typical_sky(
    moon_altitude_rad: Array,
    phase_rad: Array,
    sun_altitude_rad: Array,
    extinction_mag: float,
    dark_mag: float,
    dark: float = 1.2,
) -> Array:
    """Sky brightness over dark of a field 60 deg high and 75 deg from the Moon.

    Parameters
    ----------
    moon_altitude_rad, phase_rad, sun_altitude_rad : ndarray of float64
        Of moments, in one shape [rad].
    extinction_mag, dark_mag : float
        Per airmass, and V mag/arcsec2 of the dark zenith.
    dark : float
        Without Moon and twilight: zodiacal light and airglow on a longer way add a fifth in the
        mean (:func:`wstdes.models.sky.brightness.sky_brightness` at fields of a survey).

    Returns
    -------
    ndarray of float64
        In the same shape.
    """
    sine, cosine = float(np.sin(_TYPICAL_ALTITUDE)), float(np.cos(_TYPICAL_SEPARATION))
    out = np.full(np.shape(moon_altitude_rad), dark)
    up = moon_altitude_rad > 0.0
    moments = zip(np.sin(moon_altitude_rad[up]).tolist(), phase_rad[up].tolist(), strict=True)
    light = [moonlight_nl(cosine, high, phase, sine, extinction_mag) for high, phase in moments]
    out[up] += np.array(light) / nanolambert(dark_mag)
    dusk = sun_altitude_rad > np.radians(-24.0)
    glow = [twilight_excess(altitude) for altitude in sun_altitude_rad[dusk].tolist()]
    out[dusk] += np.array(glow) * 10.0 ** (0.4 * (dark_mag - PATAT_DARK_MAG))
    return out


# Work -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Programme:
    """Surveys of one mode that want the same sky.

    Parameters
    ----------
    surveys : tuple of int
        Their numbers.
    mode, noise : str
        As in :class:`~wstdes.policies.views.SurveyView`.
    sky_min, sky_max, sun_max_rad : float
        What they want.
    """

    surveys: tuple[int, ...]
    mode: str
    noise: str
    sky_min: float
    sky_max: float
    sun_max_rad: float

    def within(self, other: Programme) -> bool:
        """Whether all time that this one can use is the other's too, and so are its fibres."""
        return (
            self.mode == other.mode
            and self.sky_min >= other.sky_min
            and self.sky_max <= other.sky_max
            and self.sun_max_rad <= other.sun_max_rad
        )

    def allowed(self, sky: Array, sun_rad: Array) -> NDArray[np.bool_]:
        """Whether it can use a sky."""
        fits = (sky >= self.sky_min) & (sky <= self.sky_max) & (sun_rad <= self.sun_max_rad)
        return np.asarray(fits)


def programmes(surveys: tuple[SurveyView, ...]) -> tuple[Programme, ...]:
    """Group surveys by mode, noise and the sky they want."""
    found: dict[tuple[str, str, float, float, float], list[int]] = {}
    for i, s in enumerate(surveys):
        key = (s.mode, s.noise, s.sky_min, s.sky_max, s.sun_altitude_max_rad)
        found.setdefault(key, []).append(i)
    return tuple(Programme(tuple(who), *key) for key, who in found.items())


@dataclass(frozen=True, eq=False)
class Work:
    """What is left to do, by tile and programme.

    Parameters
    ----------
    needed_s : ndarray of float64, shape (tiles, programmes)
        Effective time: that of its longest survey, or what its fibres need, with those of
        programmes that have to use the same time, whichever is more [s].
    worth : ndarray of float64, shape (tiles, programmes)
        Weighted targets.
    """

    needed_s: Array
    worth: Array

    @classmethod
    def of(cls, view: SeasonView, groups: tuple[Programme, ...]) -> Work:
        """Count it."""
        required = np.array([s.required_s for s in view.surveys])
        weight = np.array([s.weight for s in view.surveys])
        one = np.broadcast_to(required, view.remaining.shape)
        one = one if view.needed_s is None else view.needed_s
        left = (view.remaining > _LEAST_WORK) & (weight > 0.0)
        if view.dimming is not None:  # what dust takes has to be made good by time
            power = np.array([1.0 if s.noise == "source" else 2.0 for s in view.surveys])
            through = view.dimming[:, None] ** power
            left &= through >= _LEAST_LIGHT
            one = one / np.maximum(through, _LEAST_LIGHT)
        fibres = np.array([max(float(view.fibres.get(s.mode, 0)), 1e-9) for s in view.surveys])
        share_s = np.where(left, view.remaining * one / fibres, 0.0)
        longest_s = np.where(left & np.array([s.mode != "ifs" for s in view.surveys]), one, 0.0)
        needed, worth = [], []
        for group in groups:
            mine = list(group.surveys)
            packed = [i for other in groups if other.within(group) for i in other.surveys]
            most = np.maximum(longest_s[:, mine].max(axis=1), share_s[:, packed].sum(axis=1))
            needed.append(np.where(left[:, mine].any(axis=1), most, 0.0))
            worth.append((view.remaining * left * weight)[:, mine].sum(axis=1))
        return cls(np.stack(needed, axis=1), np.stack(worth, axis=1))


@dataclass(frozen=True, eq=False)
class Classes:
    """Tiles in the same part of the sky with the same programmes left.

    Parameters
    ----------
    of_tile : ndarray of int64, shape (tiles,)
        Class of each tile, -1 for those that are done.
    ra_rad, dec_rad : ndarray of float64, shape (classes,)
        Mean place [rad].
    needed_s, worth : ndarray of float64, shape (classes, programmes)
        Sums over the tiles.
    """

    of_tile: Ints
    ra_rad: Array
    dec_rad: Array
    needed_s: Array
    worth: Array

    @classmethod
    def group(cls, view: SeasonView, work: Work, ra_bins: int, dec_step_rad: float) -> Classes:
        """Group the tiles on which anything is left."""
        live = work.needed_s > 0.0
        ra = np.minimum((np.mod(view.ra_rad, _TURN) / _TURN * ra_bins).astype(np.int64), 9999)
        dec = np.floor((view.dec_rad + 0.5 * np.pi) / dec_step_rad).astype(np.int64)
        mask = (live * 2 ** np.arange(live.shape[1])).sum(axis=1).astype(np.int64)
        key = (mask * 1000 + dec) * 10000 + ra
        some = np.flatnonzero(mask > 0)
        of_tile = np.full(len(key), -1, dtype=np.int64)
        _, of_tile[some] = np.unique(key[some], return_inverse=True)
        count = int(of_tile.max(initial=-1)) + 1

        def total(values: Array) -> Array:
            return np.asarray(np.bincount(of_tile[some], values[some], count), np.float64)

        middle = (ra + 0.5) * _TURN / ra_bins
        off = np.mod(view.ra_rad - middle + np.pi, _TURN) - np.pi
        tiles = np.maximum(total(np.ones(len(key))), 1.0)
        centre = total(middle) / tiles + total(off) / tiles
        both = [
            np.stack([total(x) for x in values.T], axis=1).reshape(count, live.shape[1])
            for values in (work.needed_s, work.worth)
        ]
        return cls(of_tile, centre, total(view.dec_rad) / tiles, *both)


# Time -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Slots:
    """Time that lies ahead: by period, sidereal time, and the programmes that can use it.

    Parameters
    ----------
    time_s : ndarray of float64, shape (slots,)
        Expected open time [s].
    after_nights : ndarray of float64, shape (slots,)
        How far ahead, in the mean [d].
    lst_rad, sky : ndarray of float64, shape (slots,)
        Middle of its sidereal time [rad]; brightness over dark, in the mean.
    allowed : ndarray of bool, shape (slots, programmes)
        Who can use it.
    """

    time_s: Array
    after_nights: Array
    lst_rad: Array
    sky: Array
    allowed: NDArray[np.bool_]

    @classmethod
    def cut(
        cls, view: SeasonView, groups: tuple[Programme, ...], lst_bins: int, edges: Array
    ) -> Slots:
        """Cut the season; ``edges`` of the periods are in nights from now."""
        nights, steps = view.lst_rad.shape
        time_s = np.repeat(view.step_s * view.open_share, steps)
        night = np.repeat(np.arange(nights), steps)
        sky, sun = view.sky.ravel(), view.sun_altitude_rad.ravel()
        fits = np.stack([g.allowed(sky, sun) for g in groups], axis=1)
        mask = fits @ (2 ** np.arange(len(groups)))
        lst = (np.mod(view.lst_rad.ravel(), _TURN) / _TURN * lst_bins).astype(np.int64) % lst_bins
        period = np.searchsorted(edges, night, side="right") - 1
        use = np.flatnonzero((time_s > 0.0) & (mask > 0))
        key = (period * lst_bins + lst) * 2 ** len(groups) + mask
        which, place = np.unique(key[use], return_inverse=True)

        def total(values: Array) -> Array:
            return np.asarray(np.bincount(place, values[use] * time_s[use], len(which)), np.float64)

        sums = total(np.ones(len(time_s)))
        fine = lst_bins / _TURN
        return cls(
            sums,
            total(np.asarray(night + 0.5)) / sums,
            (which // 2 ** len(groups) % lst_bins + 0.5) / fine,
            total(sky) / sums,
            (which[:, None] >> np.arange(len(groups)) & 1).astype(np.bool_),
        )


def periods(nights: int, first: int, growth: float) -> Array:
    """Edges of periods that grow longer the farther away they are, up to half a year [d]."""
    edges, length = [0.0], float(first)
    while edges[-1] < nights:
        edges.append(min(float(nights), edges[-1] + round(length)))
        length = min(length * growth, 0.5 * _YEAR_NIGHTS)
    return np.array(edges[:-1])


def progress(
    view: SeasonView, groups: tuple[Programme, ...], classes: Classes, slots: Slots, pairs: Ints
) -> Array:
    """Effective time that a second gives each programme, shape (pairs, programmes).

    Parameters
    ----------
    view : SeasonView
        The season.
    groups, classes, slots
        What is left and the time for it.
    pairs : ndarray of int64, shape (pairs, 2)
        Class and slot; those that are down give nothing.
    """
    high = altitude(
        slots.lst_rad[pairs[:, 1]] - classes.ra_rad[pairs[:, 0]],
        classes.dec_rad[pairs[:, 0]],
        view.latitude_rad,
    )
    up = (high >= view.altitude_min_rad) & (high <= view.altitude_max_rad)
    signal = np.where(up, view.signal_of_airmass(np.where(up, airmass(high), 1.0)), 0.0)
    sky = slots.sky[pairs[:, 1]]
    share = view.open_s / view.visit_s
    out = [
        np.where(
            slots.allowed[pairs[:, 1], n],
            share * effective_rate(signal, sky, g.noise, view.floors[g.mode]),
            0.0,
        )
        for n, g in enumerate(groups)
    ]
    return np.stack(out, axis=1)


def altitude(hour_angle_rad: Array, dec_rad: Array, latitude_rad: float) -> Array:
    """Altitude at an hour angle [rad]."""
    sine = np.sin(latitude_rad) * np.sin(dec_rad)
    sine = sine + np.cos(latitude_rad) * np.cos(dec_rad) * np.cos(hour_angle_rad)
    return np.asarray(np.arcsin(np.clip(sine, -1.0, 1.0)))


def pressure(view: SeasonView, bins: int = 24) -> Array:
    """Work left over the time left at each tile's right ascension.

    Parameters
    ----------
    view : SeasonView
        The season.
    bins : int
        Of right ascension.

    Returns
    -------
    ndarray of float64, shape (tiles,)
        Over that of the whole sky; time counts for the four hours about the meridian.
    """
    groups = programmes(view.surveys)
    needed = Work.of(view, groups).needed_s.max(axis=1, initial=0.0)
    ra = (np.mod(view.ra_rad, _TURN) / _TURN * bins).astype(np.int64) % bins
    lst = (np.mod(view.lst_rad, _TURN) / _TURN * bins).astype(np.int64) % bins
    time_s = np.broadcast_to((view.step_s * view.open_share)[:, None], lst.shape)
    wide = max(1, round(bins / 12))
    about = np.arange(bins)[:, None] + np.arange(-wide, wide + 1)
    work = np.bincount(ra, needed, bins)[about % bins].mean(axis=1)
    hours = np.bincount(lst.ravel(), time_s.ravel(), bins)[about % bins].mean(axis=1)
    if not hours.sum() > 0.0 or not work.sum() > 0.0:
        return np.ones(len(ra))
    over = work / np.maximum(hours, 1e-3 * hours.mean()) * hours.mean() / work.mean()
    return np.asarray(over[ra])
