"""How tiles cover the sky, as users describe it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from wstdes.config.base import Fraction, Model
from wstdes.units import Seconds, Steradians

__all__ = ["DensityTiles", "EvenTiles", "Share", "TileFile", "Tiles"]


def _percent(value: object) -> object:
    """Read '20 %' as 0.2; leave the rest to be checked."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip()[:-1]) / 100.0
        except ValueError:
            raise ValueError(f"'{value}' is no percentage; write '20 %' or 0.2") from None
    return value


Share = Annotated[Fraction, BeforeValidator(_percent)]
Overlap = Annotated[
    Share | None,
    Field(
        lt=0.95,
        description="share of the field's area that a tile gives away to overlaps, '20 %' or 0.2; "
        "left out: as much as leaves no gap",
    ),
]
Area = Annotated[Steradians | None, Field(gt=0, description="sky a tile adds, in place of overlap")]


class _Even(Model):
    overlap: Overlap = None
    area_sr: Area = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.overlap is not None and self.area_sr is not None:
            raise ValueError("overlap and area say the same thing: give one of them")
        return self


class EvenTiles(_Even):
    """Tiles spread evenly over the footprints, in passes that are shifted against each other."""

    kind: Literal["even"] = Field(description="selects even tiles")
    passes: Annotated[int, Field(ge=1, le=20, description="how often the sky is covered")] = 1
    passes_of: dict[str, Annotated[int, Field(ge=1, le=20)]] = Field(
        default_factory=dict,
        description="passes that serve one survey alone, by its name, in place of passes",
    )

    @model_validator(mode="after")
    def _one_count(self) -> Self:
        if self.passes_of and self.passes != 1:
            raise ValueError("passes and passes_of say the same thing: give one of them")
        return self


class DensityTiles(_Even):
    """An even pass over the footprints, and more tiles where targets outnumber the fibres."""

    kind: Literal["density"] = Field(description="selects tiles that follow the targets")
    passes_max: Annotated[int, Field(ge=2, le=20, description="most tiles over a place")] = 8
    fill_min: Annotated[
        Share,
        Field(gt=0, description="a tile is added while at least this share of its fibres is used"),
    ] = 0.5
    visit_s: Annotated[
        Seconds | None,
        Field(gt=0, description="effective time that a visit gives; left out: its exposures"),
    ] = None
    tiles_max: Annotated[int | None, Field(ge=1, description="stop at so many tiles")] = None


class TileFile(Model):
    """The user's own tiles."""

    kind: Literal["file"] = Field(description="selects a list of tiles")
    path: str = Field(
        description="FITS, ECSV, VOTable, Parquet or CSV with columns ra and dec; relative to the "
        "scenario's folder"
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="the file's column for ra, dec, id, programme, pass, design_ha, extinction "
        "or ebv",
    )
    programmes: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="surveys that the tiles of each programme serve; left out: names of surveys",
    )
    clip: bool = Field(
        default=True,
        description="whether a tile serves a survey only where it touches the survey's footprint",
    )


Tiles = Annotated[EvenTiles | DensityTiles | TileFile, Field(discriminator="kind")]
