"""Whether two pictures are the same, pixel by pixel."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

TOLERANCE = 0.02
"""Part of the pixels that may differ where another matplotlib drew the picture, as letters and edges do; the same one must agree in all."""


def pictures(data: bytes) -> tuple[list[np.ndarray], list[int], str]:
    """Return the frames of a picture, how long each stands in milliseconds, and what drew it."""
    with Image.open(BytesIO(data)) as image:
        frames, times = [], []
        for k in range(getattr(image, "n_frames", 1)):
            image.seek(k)
            times.append(int(image.info.get("duration", 0)))
            frames.append(np.asarray(image.convert("RGB")))
        said = image.info.get("Software") or image.info.get("comment", b"")
    text = said.decode() if isinstance(said, bytes) else str(said)
    words = text.replace("version", " ").replace(",", " ").split()
    return frames, times, " ".join(words[:2])


def unlike(old: bytes, new: bytes) -> str:
    """Say how two pictures differ; nothing where they are the same, or another version drew one and they are nearly so."""
    (first, first_times, first_by), (second, second_times, second_by) = pictures(old), pictures(new)
    if len(first) != len(second) or first_times != second_times:
        return f"{len(first)} frames, now {len(second)}, or other times"
    sizes = {a.shape[:2] for a in first}, {a.shape[:2] for a in second}
    if sizes[0] != sizes[1]:
        return f"size {sizes[0]}, now {sizes[1]}"
    part = max(float((a != b).any(axis=2).mean()) for a, b in zip(first, second, strict=True))
    if part == 0.0 or (first_by != second_by and part <= TOLERANCE):
        return ""
    return f"{100.0 * part:.3g} % of the pixels differ ({first_by}, now {second_by})"
