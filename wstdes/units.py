"""Units at the edge: ``"5 min"`` becomes 300.0 here, and nowhere else.

A field that carries a unit is annotated with one of the types below (``Seconds``, ``Watts``, ...).
Its name ends in the type's suffix (``readout_s``) and its key in YAML is the name without it
(``readout: 20 s``). A bare number where a unit belongs is an error, and so is a unit of another
kind. Inside the program every such value is a plain float in the unit named by the suffix.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = [
    "SUFFIXES",
    "Bytes",
    "BytesPerSecond",
    "Electrons",
    "ElectronsPerSecond",
    "Euros",
    "EurosPerByte",
    "EurosPerJoule",
    "EurosPerYear",
    "Joules",
    "Kilograms",
    "KilogramsPerByte",
    "KilogramsPerJoule",
    "Metres",
    "MetresPerRadian",
    "MetresPerSecond",
    "NodeSeconds",
    "PerSecond",
    "PerSteradian",
    "Radians",
    "RadiansPerSecond",
    "RadiansPerSecond2",
    "Seconds",
    "SquareMetres",
    "Steradians",
    "Unit",
    "Watts",
    "WattsPerByte",
    "format_quantity",
    "parse_quantity",
    "strip_suffix",
]

_QUANTITY = re.compile(
    r"""^\s*(?P<number>[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf|nan)
        \s*(?P<unit>[A-Za-zµ€/(].*)?$""",
    re.VERBOSE,
)

_ENGLISH = {  # what people write -> what astropy.units reads
    "days": "d",
    "day": "d",
    "hours": "h",
    "hour": "h",
    "minutes": "min",
    "minute": "min",
    "seconds": "s",
    "second": "s",
    "sec": "s",
    "years": "yr",
    "year": "yr",
    "nights": "d",
    "degrees": "deg",
    "degree": "deg",
    "e-": "electron",
    "px": "pix",
    "bytes": "byte",
    "bits": "bit",
    "gCO2e": "g",
    "kgCO2e": "kg",
    "tCO2e": "t",
    "€": "EUR",
    "nodes": "node",
    "sqdeg": "deg2",
    "micron": "um",
}


@lru_cache(maxsize=1)
def _registry() -> tuple[Any, ...]:
    """Units that astropy lacks: money and computing nodes."""
    from astropy import units as u

    euro = u.def_unit("EUR")
    return (
        euro,
        u.def_unit("kEUR", 1e3 * euro),
        u.def_unit("MEUR", 1e6 * euro),
        u.def_unit("node"),
        u.def_unit("tonne", 1000 * u.kg),
    )


@lru_cache(maxsize=4096)
def _unit(text: str) -> Any:
    """Read a unit; raises ValueError when nobody knows it."""
    from astropy import units as u

    words = re.sub(r"[A-Za-zµ€][A-Za-z0-9µ]*-?", lambda m: _ENGLISH.get(m[0], m[0]), text.strip())
    words = re.sub(r"\bt\b", "tonne", words)
    with u.add_enabled_units(list(_registry())):
        return u.Unit(words)


@dataclass(frozen=True)
class Unit:
    """The unit of a pydantic field, as an annotation.

    Parameters
    ----------
    si : str
        The unit inside the program, in astropy's spelling.
    suffix : str
        How the field's name ends.
    kind : str
        What it is, for messages: "a time".
    example : str
        A value a user could write.
    """

    si: str
    suffix: str
    kind: str
    example: str

    def parse(self, value: object) -> float:
        """Return a value in this unit; raise a message for people otherwise."""
        return parse_quantity(value, self)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read text with a unit before the float is checked; write it with its unit."""
        return core_schema.no_info_before_validator_function(
            self.parse,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda x: format_quantity(x, self), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """In JSON Schema a quantity is text: a number, a blank, a unit."""
        return {
            "type": "string",
            "description": f"{self.kind}, with its unit",
            "unit": self.si,
            "examples": [self.example],
            "pattern": r"^\s*[+-]?[0-9._]+([eE][+-]?[0-9]+)?\s*\S.*$",
        }


def parse_quantity(value: object, unit: Unit) -> float:
    """Read a quantity such as ``"5 min"``.

    Parameters
    ----------
    value : object
        What stands in the file: text with a unit.
    unit : Unit
        The unit to return it in.

    Returns
    -------
    float
        The value in ``unit.si``.

    Raises
    ------
    PydanticCustomError
        A bare number, an unknown unit, a unit of another kind, or not a finite number.
    """

    def refuse(message: str) -> PydanticCustomError:
        return PydanticCustomError(
            "quantity",
            "{message}; expected {kind}, for example '{example}'",
            {"message": message, "kind": unit.kind, "example": unit.example},
        )

    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refuse(f"{value!r} is not a quantity")
    if isinstance(value, int | float):
        raise refuse(f"{value!r} has no unit")
    match = _QUANTITY.match(value)
    if match is None:
        raise refuse(f"'{value}' is not a number with a unit")
    number = float(match["number"])
    if not math.isfinite(number):
        raise refuse(f"'{value}' is not a finite number")
    if not match["unit"]:
        raise refuse(f"'{value}' has no unit")
    try:
        given = _unit(match["unit"])
    except (ValueError, TypeError):
        raise refuse(f"'{match['unit'].strip()}' is not a unit known here") from None
    wanted = _unit(unit.si)
    if not given.is_equivalent(wanted):
        raise refuse(f"'{value}' is not {unit.kind}")
    return float(given.to(wanted, number))


def format_quantity(value: float, unit: Unit) -> str:
    """Return a value with its unit so that it is read back exactly."""
    return f"{value!r} {unit.si}"


Seconds = Annotated[float, Unit("s", "_s", "a time", "20 min")]
Metres = Annotated[float, Unit("m", "_m", "a length", "6.85 mm")]
MetresPerSecond = Annotated[float, Unit("m / s", "_m_per_s", "a speed", "18 m/s")]
MetresPerRadian = Annotated[
    float, Unit("m / rad", "_m_per_rad", "a plate scale", "180.4 um/arcsec")
]
Steradians = Annotated[float, Unit("sr", "_sr", "a solid angle", "2.6 deg2")]
SquareMetres = Annotated[float, Unit("m2", "_m2", "an area", "93.6 m2")]
Radians = Annotated[float, Unit("rad", "_rad", "an angle", "55 deg")]
RadiansPerSecond = Annotated[float, Unit("rad / s", "_rad_per_s", "an angular speed", "2 deg/s")]
RadiansPerSecond2 = Annotated[
    float, Unit("rad / s2", "_rad_per_s2", "an angular acceleration", "0.2 deg/s2")
]
Bytes = Annotated[float, Unit("byte", "_bytes", "an amount of data", "2 PB")]
BytesPerSecond = Annotated[float, Unit("byte / s", "_bytes_per_s", "a data rate", "10 Gbit/s")]
Watts = Annotated[float, Unit("W", "_w", "a power", "1.2 MW")]
WattsPerByte = Annotated[
    float, Unit("W / byte", "_w_per_byte", "a power per amount of data", "0.65 W/TB")
]
Joules = Annotated[float, Unit("J", "_j", "an energy", "4 MW h")]
Euros = Annotated[float, Unit("EUR", "_eur", "a sum of money", "15 kEUR")]
EurosPerJoule = Annotated[
    float, Unit("EUR / J", "_eur_per_j", "a price of energy", "0.11 EUR/(kW h)")
]
EurosPerByte = Annotated[
    float, Unit("EUR / byte", "_eur_per_byte", "a price of storage", "50 EUR/TB")
]
EurosPerYear = Annotated[float, Unit("EUR / yr", "_eur_per_yr", "a yearly cost", "0.2 MEUR/yr")]
Kilograms = Annotated[float, Unit("kg", "_kg", "a mass of CO2 equivalent", "1230 kgCO2e")]
KilogramsPerJoule = Annotated[
    float, Unit("kg / J", "_kg_per_j", "a carbon intensity", "291 gCO2e/(kW h)")
]
KilogramsPerByte = Annotated[
    float, Unit("kg / byte", "_kg_per_byte", "carbon per amount of data", "1.3 kgCO2e/TB")
]
NodeSeconds = Annotated[float, Unit("node s", "_node_s", "an amount of computing", "2.5 node h")]
PerSecond = Annotated[float, Unit("s-1", "_per_s", "a rate", "2 / d")]
PerSteradian = Annotated[float, Unit("sr-1", "_per_sr", "a surface density", "8000 / deg2")]
Electrons = Annotated[float, Unit("electron", "_e", "a charge", "1 e-")]
ElectronsPerSecond = Annotated[float, Unit("electron / s", "_e_per_s", "a dark current", "1 e-/h")]

SUFFIXES: tuple[str, ...] = tuple(
    sorted(
        {
            kind.__metadata__[0].suffix  # type: ignore[attr-defined]
            for kind in (
                Seconds,
                Metres,
                SquareMetres,
                Radians,
                RadiansPerSecond,
                RadiansPerSecond2,
                Bytes,
                BytesPerSecond,
                Watts,
                WattsPerByte,
                Joules,
                Euros,
                EurosPerJoule,
                EurosPerByte,
                EurosPerYear,
                Kilograms,
                KilogramsPerJoule,
                KilogramsPerByte,
                NodeSeconds,
                MetresPerSecond,
                MetresPerRadian,
                Steradians,
                PerSecond,
                PerSteradian,
                Electrons,
                ElectronsPerSecond,
            )
        },
        key=len,
        reverse=True,
    )
)


def strip_suffix(name: str) -> str:
    """Return a field's key in YAML: its name without the unit's suffix."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name
