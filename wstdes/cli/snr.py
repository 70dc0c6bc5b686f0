"""`wstdes snr`: signal to noise, exposure times and limits of a scenario's instruments."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from wstdes.cli.options import Overlays, Sets

if TYPE_CHECKING:
    from wstdes.config.scenario import Scenario
    from wstdes.models.instrument import Calculator, Conditions, SourceShape
    from wstdes.models.instrument.calculator import Per

__all__ = ["snr"]

_PER = {"pixel": "pixel", "resolution": "res. element", "angstrom": "A"}


def snr(
    mode: Annotated[str, typer.Argument(help="lr, hr or ifs.")],
    magnitude: Annotated[
        list[float] | None,
        typer.Option("--magnitude", "-m", help="AB, in each channel; may be repeated."),
    ] = None,
    scenario: Annotated[
        str, typer.Option("--scenario", help="Whose site and hardware: a name or a YAML file.")
    ] = "baseline",
    time: Annotated[str, typer.Option(help="Open-shutter time in all.")] = "1 h",
    exposure: Annotated[
        str | None, typer.Option(help="Longest exposure; the scenario's if left out.")
    ] = None,
    goal: Annotated[float, typer.Option("--snr", help="S/N of limits and of times.")] = 5.0,
    per: Annotated[str, typer.Option(help="It is wanted per pixel, resolution or angstrom.")] = (
        "angstrom"
    ),
    seeing: Annotated[
        str | None, typer.Option(help="FWHM, zenith, 500 nm; the site's median if left out.")
    ] = None,
    airmass: Annotated[float, typer.Option(help="At least 1.")] = 1.0,
    sky: Annotated[float, typer.Option(help="Brightness of the sky over dark; full Moon: 20.")] = (
        1.0
    ),
    transparency: Annotated[float, typer.Option(help="Of thin cloud.")] = 1.0,
    offset: Annotated[str, typer.Option(help="Of the fibre from the image.")] = "0 arcsec",
    source: Annotated[
        str, typer.Option(help="point, extended or surface (magnitudes by arcsec2).")
    ] = "point",
    half_light_radius: Annotated[str, typer.Option(help="Of an extended source.")] = "0 arcsec",
    overlay: Overlays = None,
    set_: Sets = None,
) -> None:
    """Signal to noise, exposure times, and limiting and saturation magnitudes, by channel."""
    from wstdes.errors import WstdesError
    from wstdes.facility import load
    from wstdes.models.instrument import Conditions, SourceShape
    from wstdes.models.instrument.calculator import Kind
    from wstdes.units import Radians, Seconds

    _known(per, tuple(_PER), "--per")
    _known(source, get_args(Kind), "--source")
    _within(airmass, 1.0, 40.0, "--airmass")
    _within(goal, 1e-6, 1e6, "--snr")
    _within(transparency, 1e-6, 1.0, "--transparency")
    _within(sky, 1e-6, 1e9, "--sky")
    for number in magnitude or []:
        _within(number, -50.0, 50.0, "--magnitude")
    radius = _quantity(half_light_radius, Radians, "--half-light-radius", zero=True)
    if (source == "extended") != (radius > 0.0):
        raise WstdesError("--half-light-radius is for --source extended, which needs it")
    shape = SourceShape(cast("Kind", source), radius)
    blur = None if seeing is None else _quantity(seeing, Radians, "--seeing")
    beside = _quantity(offset, Radians, "--offset", zero=True)
    whole = _quantity(time, Seconds, "--time")
    longest = None if exposure is None else _quantity(exposure, Seconds, "--exposure")
    model = load(scenario, overlays=overlay or [], overrides=set_ or []).scenario
    _known(mode, model.spectrographs.modes, "MODE")
    blur = blur or model.site.seeing_median_rad
    conditions = Conditions(blur, airmass, sky, transparency, beside)
    lines = _lines(model, mode, conditions, shape, whole, longest, goal, per, magnitude or [])
    print("\n".join(lines))


def _known(value: str, known: tuple[str, ...], option: str) -> None:
    from wstdes.errors import WstdesError, did_you_mean

    if value not in known:
        raise WstdesError(f"{option}: '{value}' is not one of them; {did_you_mean(value, known)}")


def _within(value: float, least: float, most: float, option: str) -> None:
    from wstdes.errors import WstdesError

    if not least <= value <= most:
        raise WstdesError(f"{option}: {value:g} is not between {least:g} and {most:g}")


def _quantity(text: str, kind: Any, option: str, zero: bool = False) -> float:
    from pydantic_core import PydanticCustomError

    from wstdes.errors import WstdesError

    try:
        value = float(kind.__metadata__[0].parse(text))
    except PydanticCustomError as error:
        raise WstdesError(f"{option}: {error.message()}") from None
    if value < 0.0 or (value == 0.0 and not zero):
        raise WstdesError(f"{option}: '{text}' is not positive")
    return value


def _lines(
    model: Scenario,
    mode: str,
    conditions: Conditions,
    shape: SourceShape,
    time_s: float,
    longest_s: float | None,
    goal: float,
    per: Any,
    magnitudes: list[float],
) -> Iterator[str]:
    from wstdes.models.instrument import Calculator

    spectrograph = getattr(model.spectrographs, mode)
    calculators = [Calculator(model, mode, name, longest_s) for name in spectrograph.channels]
    calculators.sort(key=lambda c: c.wavelength_m)
    arcsec = math.pi / 648000.0
    yield f"{spectrograph.title} ({model.name})"
    yield (
        f"{time_s:,.0f} s open, at most {calculators[0].read_interval_s:g} s between reads; "
        f"seeing {conditions.seeing_rad / arcsec:.2f} arcsec, airmass {conditions.airmass:g}, "
        f"sky {conditions.sky:g} x dark, {shape.kind} source"
    )
    yield ""
    head = ["channel", "nm", "image", "caught", "sky", "limit", "saturates"]
    rows = [_channel(c, conditions, shape, time_s, goal, per) for c in calculators]
    yield from _table(head, ["", "", "arcsec", "", "AB/arcsec2", "AB", "AB"], rows)
    yield f"limit: S/N {goal:g} per {_PER[per]}; saturates: a star, in one frame"
    for magnitude in magnitudes:
        yield ""
        yield f"AB {magnitude:g}"
        head = ["channel", "source", "sky", "S/N", "S/N", "S/N", "time"]
        under = ["", "e-/pixel", "e-/pixel", *_PER.values(), f"to {goal:g}"]
        rows = [_star(c, magnitude, conditions, shape, time_s, goal, per) for c in calculators]
        yield from _table(head, under, rows)


def _channel(
    c: Calculator,
    conditions: Conditions,
    shape: SourceShape,
    time_s: float,
    goal: float,
    per: Per,
) -> list[str]:
    quality = float(c.image_quality(conditions.seeing_rad, conditions.airmass))
    frame_s = min(time_s, c.read_interval_s)
    return [
        c.name,
        f"{c.wavelength_m * 1e9:.0f}",
        f"{quality * 648000.0 / math.pi:.2f}",
        f"{c.share(shape, conditions):.2f}",
        f"{c.sky_mag - 2.5 * math.log10(conditions.sky):.2f}",
        f"{c.limiting_magnitude(goal, time_s, conditions, shape, per):.2f}",
        f"{c.saturation_magnitude(frame_s, conditions):.2f}",
    ]


def _star(
    c: Calculator,
    magnitude: float,
    conditions: Conditions,
    shape: SourceShape,
    time_s: float,
    goal: float,
    per: Per,
) -> list[str]:
    charge = float(c.source_rate(magnitude, shape, conditions)) * time_s
    sky = c.background(shape, conditions).sky_e_per_s * time_s
    ways: tuple[Per, ...] = ("pixel", "resolution", "angstrom")
    found = [float(c.signal_to_noise(magnitude, time_s, conditions, shape, w)) for w in ways]
    needed = float(c.exposure_time(magnitude, goal, conditions, shape, per))
    words = f"{needed:.0f} s" if needed < 7200 else f"{needed / 3600:.1f} h"
    return [c.name, f"{charge:,.0f}", f"{sky:,.0f}", *(f"{x:.2f}" for x in found), words]


def _table(head: list[str], under: list[str], rows: list[list[str]]) -> Iterator[str]:
    lines = [head, under, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        first = f"{line[0]:{widths[0]}}"
        rest = (f"{cell:>{w}}" for cell, w in zip(line[1:], widths[1:], strict=True))
        yield "  ".join(["", first, *rest]).rstrip()
