# SPDX-License-Identifier: MIT
from typing import Any

class Handle:
    closed: bool
    def close(self) -> None: ...

def __getattr__(name: str) -> Any: ...
