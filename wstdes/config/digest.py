"""A name for a scenario's content: the same values give the same digest, however written."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel

__all__ = ["digest"]


def digest(model: BaseModel) -> str:
    """Return the SHA-256 of a model's values, in hexadecimal.

    Titles and descriptions count too: they stand in the report.
    """
    data = model.model_dump(mode="json", by_alias=True)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
