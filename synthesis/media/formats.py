"""What a picture can be delivered as, and how each of these is encoded.

ProRes and DNxHR name no range, and players take them as limited: a scene of full range
comes down to that on the way in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import av

from synthesis.errors import SynthesisError
from synthesis.media.colour import Colour
from synthesis.media.pixels import Pixels, even_pixels
from synthesis.media.probe import Probe


class Format(StrEnum):
    """What may be asked for."""

    H264 = "h264"
    H264_MOV = "h264-mov"
    HEVC = "hevc"
    PRORES = "prores"
    DNXHR = "dnxhr"


MASTERS = frozenset({Format.PRORES, Format.DNXHR})
"""For the edit: every picture stands alone, ten bits, 4:2:2."""

_ENCODERS = {
    Format.H264: "libx264",
    Format.H264_MOV: "libx264",
    Format.HEVC: "libx265",
    Format.PRORES: "prores",
    Format.DNXHR: "dnxhd",
}
_DNXHR_LEAST = (256, 120)
_HEVC_LEAST = 16
_BITS_A_PIXEL = {
    # Rough, and rather too much than too little: ProRes 422 HQ is 220 Mb/s at 1080p30,
    # DNxHR HQX is 440 Mb/s at 1080p60.
    Format.H264: 0.20,
    Format.H264_MOV: 0.20,
    Format.HEVC: 0.14,
    Format.PRORES: 3.54,
    Format.DNXHR: 3.54,
}


@dataclass(frozen=True)
class Encoding:
    """How one output's picture is written.

    codec: PyAV's encoder. container: 'mp4' or 'mov'. pixels, full_range: of the planes
    the writer is given. options: the encoder's. tag: sample entry, '' for the muxer's.
    """

    codec: str
    container: str
    pixels: Pixels
    full_range: bool
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tag: str = ""

    def colour(self, like: Probe) -> Colour:
        """The scene's colour tags as this output says them; planes made from RGB get
        the matrix used for that."""
        said = like.colour
        matrix = said.matrix
        if not matrix:
            matrix = 1 if said.effective_matrix(like.height) == "bt709" else 6
        limited = said.full_range and not self.full_range
        shown = 1 if limited else said.range
        return Colour(matrix, shown, said.primaries, said.transfer)


def formats_here() -> list[Format]:
    """The formats whose encoders this installation has, H.264 first."""
    return [one for one in Format if _ENCODERS[one] in av.codecs_available]


def suffix_of(asked: Format) -> str:
    """'mp4' or 'mov'."""
    return "mp4" if asked in (Format.H264, Format.HEVC) else "mov"


def format_verify(asked: Format, scene: Probe) -> None:
    """Raise SynthesisError where the scene cannot be delivered so: format-not-here,
    format-needs-even-width, format-needs-larger-picture, format-needs-hd-colour,
    format-not-for-hdr."""
    width, height = scene.width, scene.height
    if asked not in formats_here():
        raise SynthesisError(
            "format-not-here",
            "This installation has no encoder for that format. Choose another one.",
        )
    if asked in MASTERS and width % 2:
        raise SynthesisError(
            "format-needs-even-width",
            f"A 4:2:2 master needs an even width, and this picture is {width} pixels "
            "wide. Choose HEVC or H.264, or export the scene with an even width.",
        )
    least = {Format.DNXHR: _DNXHR_LEAST, Format.HEVC: (_HEVC_LEAST, _HEVC_LEAST)}
    least_width, least_height = least.get(asked, (1, 1))
    if width < least_width or height < least_height:
        raise SynthesisError(
            "format-needs-larger-picture",
            f"This format begins at {least_width}x{least_height} pixels, and the "
            f"picture has {width}x{height}. Choose another format.",
        )
    if asked == Format.DNXHR and scene.colour.effective_matrix(height) not in (
        "bt709",
        "bt2020",
    ):
        raise SynthesisError(
            "format-needs-hd-colour",
            "DNxHR can only say BT.709 or BT.2020 colour, and this scene has another. "
            "Choose ProRes, HEVC or H.264.",
        )
    if asked in (Format.H264, Format.H264_MOV) and scene.colour.is_hdr:
        raise SynthesisError(
            "format-not-for-hdr",
            "The scene is HDR, which eight bits of H.264 cannot hold without banding. "
            "Choose HEVC or a master: they keep it as it is.",
        )


def draft_format(scene: Probe) -> Format:
    """The smallest that holds a scene: H.264, or HEVC for HDR. Drafts are so, whatever
    is asked for."""
    return Format.HEVC if scene.colour.is_hdr else Format.H264


def encoding_of(asked: Format, scene: Probe, *, draft: bool = False) -> Encoding:
    """How to write a scene in that format. draft: in less time, into more bytes."""
    deep = scene.bits > 8 and asked not in (Format.H264, Format.H264_MOV)
    pixels = even_pixels(scene.width, scene.height, 10 if deep else 8)
    full_range = scene.colour.full_range
    codec, container = _ENCODERS[asked], suffix_of(asked)
    if asked == Format.PRORES:
        return Encoding(
            codec, container, Pixels(2, 1, 10), False, {"profile": "3"}, "apch"
        )
    if asked == Format.DNXHR:
        options = {"profile": "dnxhr_hqx"}
        return Encoding(codec, container, Pixels(2, 1, 10), False, options)
    # x264: visually lossless, and fast enough for two cores. The same of x265.
    crf, preset = ("19", "ultrafast") if draft else ("16", "veryfast")
    options = {"crf": crf, "preset": preset}
    if asked == Format.HEVC:
        known = scene.light.x265_params()
        options["x265-params"] = f"log-level=none:frame-threads=1:pools=2{known}"
        return Encoding(codec, container, pixels, full_range, options, "hvc1")
    return Encoding(codec, container, pixels, full_range, options)


def size_estimate(asked: Format, scene: Probe) -> int:
    """About how many bytes the picture will take; quiet pictures take less."""
    samples = scene.width * scene.height * scene.frame_count
    return int(samples * _BITS_A_PIXEL[asked] / 8)
