"""The fonts that ship, with the letters of most alphabets. NOTICE is their licence."""

from pathlib import Path
from typing import Final

FONTS: Final = Path(__file__).resolve().parent
REGULAR: Final = FONTS / "DejaVuSansCondensed.ttf"
BOLD: Final = FONTS / "DejaVuSansCondensed-Bold.ttf"
