"""What all parts of a scenario share: frozen, strict about keys, keys without unit suffixes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from wstdes.units import strip_suffix

__all__ = ["ByName", "Fraction", "HardwareModel", "Model", "Monthly", "PolicyRef"]

T = TypeVar("T")


def _by_name(value: dict[str, T]) -> dict[str, T]:
    return dict(sorted(value.items()))


ByName = Annotated[dict[str, T], AfterValidator(_by_name)]
"""Things by name, sorted: in which order they were written changes nothing."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Monthly = Annotated[tuple[Fraction, ...], Field(min_length=12, max_length=12)]


class Model(BaseModel):
    """A frozen part of a scenario. A field ``readout_s`` is the key ``readout`` in YAML."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=strip_suffix,
        protected_namespaces=(),
        allow_inf_nan=False,
    )


class HardwareModel(Model):
    """A part that a YAML file of ``hardware_models/<kind>/`` describes, number by number."""

    kind: ClassVar[str]

    title: str = Field(description="What it is, in a few words")
    description: str = Field(default="", description="What a reader should know about it")


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("a name is missing")
    return value


class PolicyRef(Model):
    """Which policy decides: a built-in or installed name, or ``package.module:attribute``."""

    use: Annotated[str, AfterValidator(_not_empty)]
    options: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _plain_name(cls, value: object) -> object:
        return {"use": value} if isinstance(value, str) else value

    def __hash__(self) -> int:
        return hash((self.use, repr(sorted(self.options.items()))))


def dump(model: BaseModel) -> dict[str, Any]:
    """Plain data of a model: keys as in YAML, quantities as text with their units."""
    return model.model_dump(mode="json", by_alias=True)
