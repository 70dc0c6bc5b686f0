"""Finding the YAML files that ship with wstdes, from a wheel and from a checkout alike."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

__all__ = ["HARDWARE", "SCENARIOS", "library", "shipped"]

SCENARIOS = "scenarios"
HARDWARE = "hardware_models"


def library(kind: str) -> Path:
    """Return the folder of shipped YAML files of a kind.

    Parameters
    ----------
    kind : {'scenarios', 'hardware_models'}
        Which folder.

    Returns
    -------
    pathlib.Path
        The folder: inside the installed package, or in the checkout.
    """
    try:
        folder = Path(str(resources.files(f"wstdes.{kind}")))
        if any(folder.rglob("*.yaml")):
            return folder
    except ModuleNotFoundError:
        pass
    return Path(__file__).resolve().parent.parent / kind


def shipped(kind: str, under: str = "") -> dict[str, Path]:
    """Return the shipped files of a kind by name (the file's stem).

    Parameters
    ----------
    kind : {'scenarios', 'hardware_models'}
        Which folder.
    under : str, optional
        A folder below it, such as ``'telescope'`` or ``'overlays'``.

    Returns
    -------
    dict of str to pathlib.Path
        Sorted by name; not recursive.
    """
    return {path.stem: path for path in sorted((library(kind) / under).glob("*.yaml"))}
