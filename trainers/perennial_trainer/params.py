"""Parameters of a trainer by an allow-list: a mistyped name or an impossible value is an error, never ignored."""

from dataclasses import dataclass
from typing import Any

from .errors import bad_spec
from .json_schema import find_errors, nearest


@dataclass(frozen=True)
class Param:
    """One parameter: JSON type, default and range."""

    type: str
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None

    def schema(self) -> dict:
        limits = {"minimum": self.minimum, "maximum": self.maximum, "enum": list(self.choices) if self.choices else None}
        return {"type": self.type, **{key: value for key, value in limits.items() if value is not None}}


def read_params(given: dict[str, Any], known: dict[str, Param]) -> dict[str, Any]:
    """The given values over the defaults."""
    errors = [f"params.{name} is not known{nearest(name, known)}" for name in given if name not in known]
    for name, value in given.items():
        if name in known:
            errors += find_errors(value, known[name].schema(), f"params.{name}")
    if errors:
        raise bad_spec("; ".join(errors), f"Known parameters: {', '.join(known)}.")
    return {name: given.get(name, param.default) for name, param in known.items()}
