"""HDR10's static metadata as FFmpeg hangs it on a decoded picture."""

from __future__ import annotations

import struct
from typing import Any

from av.sidedata.sidedata import Type

_DISPLAY = struct.Struct("=20i2i")
"""AVMasteringDisplayMetadata: ten fractions, and which halves of them are said."""
_CONTENT = struct.Struct("=2I")
"""AVContentLightMetadata: MaxCLL, MaxFALL."""
_CHROMATICITY, _LUMINANCE = 50_000, 10_000
"""Units of ST 2086 in one and in one cd/m2."""


def light_of(frame: Any) -> dict[str, Any]:
    """The fields of Light."""
    return {"display": _display(frame), "content": _content(frame)}


def _display(frame: Any) -> list[int] | None:
    data = frame.side_data.get(Type.MASTERING_DISPLAY_METADATA)
    if data is None or len(bytes(data)) != _DISPLAY.size:
        return None
    *parts, has_colours, has_luminance = _DISPLAY.unpack(bytes(data))
    over, under = parts[::2], parts[1::2]
    if not (has_colours and has_luminance and all(under)):
        return None
    units = [_CHROMATICITY] * 8 + [_LUMINANCE] * 2
    *colours, least, most = (
        round(unit * a / b) for unit, a, b in zip(units, over, under, strict=True)
    )
    return [*colours, most, least]


def _content(frame: Any) -> list[int] | None:
    data = frame.side_data.get(Type.CONTENT_LIGHT_LEVEL)
    if data is None or len(bytes(data)) != _CONTENT.size:
        return None
    return list(_CONTENT.unpack(bytes(data)))
