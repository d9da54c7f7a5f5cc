"""Numbers as a person reads them, and sentences that are translated where they show."""

from __future__ import annotations


def noted(sentence: str) -> str:
    """The sentence itself. Code that knows no Django calls this `_` round words that
    a page translates: so the catalogues find them."""
    return sentence


def size_in_words(size_bytes: int) -> str:
    """12 B, 3.4 MB, 20 GB: decimal units, as file managers show them."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    digits = 0 if unit == "B" or size >= 100 else 1
    return f"{size:.{digits}f}".removesuffix(".0") + f" {unit}"


def seconds_in_words(seconds: float) -> str:
    """'8 s', '3 min 20 s', '2 h 5 min'."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
