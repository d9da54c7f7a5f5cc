"""What a file is, told from its first bytes, never from its name.

The answer forces the demuxer: a playlist called scene.mp4 is named as a playlist here
and reaches no parser at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthesis.errors import MediaRefused

HEAD_BYTES = 65_536 + 16
"""As many bytes as `sniff` looks at: MXF allows a run-in of 64 KiB."""

PICTURES_ACCEPTED = "MP4, MOV, MKV, WebM, MXF, AVI or MPEG-TS"
SOUNDS_ACCEPTED = "WAV, AIFF, FLAC, MP3, AAC, M4A or Ogg, or the sound of a video"

_BMFF_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"}
_MXF_KEY = bytes.fromhex("060e2b34020501010d0102010102")
_NAMED = [
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"FLV\x01", "a Flash video"),
    (b"\x00\x00\x01\xba", "an MPEG program stream"),
    (b"0&\xb2u", "a Windows Media file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
]
_PLAYLISTS = ("#extm3u", "ffconcat", "[playlist]")


@dataclass(frozen=True)
class Kind:
    """demuxer: FFmpeg's name, to be forced. name: for people."""

    demuxer: str
    name: str


def sniff(head: bytes) -> Kind:
    """Tell the container from the first HEAD_BYTES of a file.

    Raises MediaRefused: file-empty, playlist, text-file, wrong-kind, unknown-kind.
    """
    if not head:
        raise MediaRefused(
            "file-empty", "The file is empty (0 bytes). Upload it again."
        )
    kind = _picture_kind(head) or _sound_kind(head)
    if kind:
        return kind
    for magic, name in _NAMED:
        if head.startswith(magic):
            raise MediaRefused("wrong-kind", f"This is {name}. {_accepted()}")
    text = _as_text(head)
    if text is not None:
        raise _text_refused(text)
    raise MediaRefused(
        "unknown-kind", f"The content of this file is of no kind we know. {_accepted()}"
    )


def _picture_kind(head: bytes) -> Kind | None:
    if head[4:8] in _BMFF_BOXES:
        return Kind("mov", "MP4/MOV")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return Kind("matroska", "Matroska/WebM")
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return Kind("avi", "AVI")
    if _MXF_KEY in head:
        return Kind("mxf", "MXF")
    for stride, offset in ((188, 0), (192, 4)):
        syncs = head[offset : offset + 4 * stride : stride]
        if len(syncs) >= 3 and set(syncs) == {0x47}:
            return Kind("mpegts", "MPEG-TS")
    return None


def _sound_kind(head: bytes) -> Kind | None:
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return Kind("wav", "WAV")
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return Kind("aiff", "AIFF")
    if head.startswith(b"fLaC"):
        return Kind("flac", "FLAC")
    if head.startswith(b"OggS"):
        return Kind("ogg", "Ogg")
    if head.startswith(b"ID3"):
        return Kind("mp3", "MP3")
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        layer = head[1] >> 1 & 3
        if layer == 0 and head[1] & 0xF0 == 0xF0:
            return Kind("aac", "AAC")
        if layer and head[1] >> 3 & 3 != 1 and head[2] >> 4 != 15:
            return Kind("mp3", "MP3")
    return None


def _as_text(head: bytes) -> str | None:
    """The head as text, or None when it cannot be any: NULs, control characters."""
    for encoding in ("utf-8", "utf-16"):
        if encoding == "utf-16" and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        # A multi-byte letter may be cut at the end of the head; look at less.
        for cut in range(4):
            try:
                text = head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return None if any(c < " " and c not in "\t\r\n\f" for c in text) else text
    return None


def _text_refused(text: str) -> MediaRefused:
    start = text.lstrip("\ufeff \t\r\n").lower()
    manifest = start.startswith("<") and "<mpd" in start[:4000]
    if start.startswith(_PLAYLISTS) or manifest:
        return MediaRefused(
            "playlist",
            "This is a playlist: it only points at media elsewhere, and such links "
            f"are never followed. Upload the media itself: {PICTURES_ACCEPTED}.",
        )
    return MediaRefused("text-file", f"This is a text file. {_accepted()}")


def _accepted() -> str:
    return (
        f"Accepted as a scene: {PICTURES_ACCEPTED}. Accepted as a dub: "
        f"{SOUNDS_ACCEPTED}."
    )
