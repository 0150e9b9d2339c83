# SPDX-License-Identifier: MIT
"""Options by name, as in the YAML file and the command line."""
from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Optional, Union

from . import _native


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_text(item) for item in value)
    return str(value)


class Config(MutableMapping[str, str]):
    """Options of a workspace: a mapping from names to texts, checked as they are set.

    Parameters
    ----------
    path : path or mapping, optional
        YAML file, or options to set. Every fault of a file is reported at once, with its line.
    **options
        ``gate_threshold=0.85`` sets "gate.threshold"; the first underscore stands for the point.

    Examples
    --------
    >>> import cryptosmart as cs
    >>> config = cs.Config({"train.members": ["trees"], "gbt.rounds": 40}, gate_threshold=0.85)
    >>> config["gate.threshold"], config["train.members"], len(config) > 50
    ('0.85', 'trees', True)
    >>> config["gate.threshold"] = 0.5
    Traceback (most recent call last):
        ...
    cryptosmart._errors.InvalidArgument: gate.threshold: 0.5 is outside 0.8..1
    """

    def __init__(self, path: Union[str, os.PathLike[str], Mapping[str, Any], None] = None, **options: Any) -> None:
        self._handle = _native.csm_config_new()
        if isinstance(path, Mapping):
            self.update({name: _text(value) for name, value in path.items()})
        elif path is not None:
            self.load(path)
        for name, value in options.items():
            self[name.replace("_", ".", 1)] = value

    def load(self, path: Union[str, os.PathLike[str]]) -> None:
        """Reads a YAML file over what is there."""
        _native.csm_config_load(self._handle, path)

    def parse(self, text: str, name: str = "text") -> None:
        """Reads YAML text over what is there; ``name`` stands for the file in errors."""
        _native.csm_config_parse(self._handle, text, name)

    def environment(self, variables: Optional[Mapping[str, str]] = None) -> None:
        """Takes ``CRYPTOSMART__SECTION__KEY`` of the environment."""
        variables = os.environ if variables is None else variables
        _native.csm_config_environment(self._handle, [f"{name}={value}" for name, value in variables.items()])

    @staticmethod
    def options() -> list[Any]:
        """Every option: records with name, text, standard, minimum, maximum, type."""
        return [_native.csm_config_option_at(i) for i in range(_native.csm_config_option_count())]

    @property
    def hash(self) -> str:
        """SHA-256 over all names and values."""
        return str(_native.csm_config_hash(self._handle))

    def __getitem__(self, name: str) -> str:
        value = _native.csm_config_get(self._handle, name)
        if value is None:
            raise KeyError(name)
        return str(value)

    def __setitem__(self, name: str, value: Any) -> None:
        _native.csm_config_set(self._handle, name, _text(value))

    def __delitem__(self, name: str) -> None:
        """Sets an option back to its default."""
        for option in self.options():
            if option.name == name:
                self[name] = option.standard
                return
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (option.name for option in self.options())

    def __len__(self) -> int:
        return int(_native.csm_config_option_count())

    def __repr__(self) -> str:
        changed = [f"{option.name}={self[option.name]}" for option in self.options() if self[option.name] != option.standard]
        return f"<cryptosmart.Config, {', '.join(changed) if changed else 'defaults'}>"
