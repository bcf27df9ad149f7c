"""Reading small TOML files whose keys are known."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from gpu_clusters.errors import UsageError


def read_toml(path: Path, keys: Collection[str], called: str | None = None) -> dict[str, Any]:
    """What a file says; ``called`` is its name in messages, its path where left out.

    Raises
    ------
    UsageError
        It cannot be read, is not TOML, or has a key that is not among ``keys``.
    """
    name = str(path) if called is None else called
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} is not TOML: {error}") from None
    except ValueError:  # what Python says of more than 4,300 digits
        raise UsageError(f"{name}: a number has more digits than can be read; write a smaller one") from None
    unknown = sorted(set(given) - set(keys))
    if unknown:
        raise UsageError(f"{name}: unknown key {unknown[0]!r}; there are {', '.join(keys)}")
    return given
