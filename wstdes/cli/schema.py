"""`wstdes schema`: the JSON Schema of scenarios."""

from __future__ import annotations

__all__ = ["schema"]


def schema() -> None:
    """Print the JSON Schema of a resolved scenario, for editors and other programs."""
    import json

    from wstdes.config import Scenario

    data = Scenario.model_json_schema(by_alias=True)
    data["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    print(json.dumps(data, indent=2))
