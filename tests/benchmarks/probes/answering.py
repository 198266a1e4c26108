"""How a measuring process is spoken to: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any


def serve(commands: Mapping[str, Callable[..., Any]]) -> None:
    """Do what comes in until the other side closes; answers go to the pipe whose number is the first argument."""
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as out:
        for line in sys.stdin:
            name, arguments = json.loads(line)
            try:
                answer = {"result": commands[name](**arguments)}
            except Exception:  # noqa: BLE001  # whatever it is, the parent is to hear of it
                answer = {"error": traceback.format_exc()}
            out.write(json.dumps(answer) + "\n")
            out.flush()


def peak_bytes() -> int:
    """Return the most memory that this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # in bytes there, in KiB elsewhere
