"""HDR10 static metadata: the display a picture was made on, how bright it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

_MOST_CHROMATICITY, _MOST_LUMINANCE, _MOST_NITS = 50_000, 1 << 31, 65_535


@dataclass(frozen=True)
class Light:
    """What a file says of it; None where it says nothing.

    display: ST 2086 in its own units: x and y of red, green, blue and white in 0.00002,
    then highest and lowest luminance in 0.0001 cd/m2. content: MaxCLL and MaxFALL
    (CTA-861.3), cd/m2.
    """

    display: tuple[int, ...] | None = None
    content: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.display or self.content)

    def to_json(self) -> dict[str, Any]:
        return {"display": self.display, "content": self.content}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """What to_json wrote; numbers that no such metadata has are dropped."""
        display, content = fields["display"], fields["content"]
        return cls(
            tuple(display) if display and _is_display(display) else None,
            (content[0], content[1]) if content and _is_content(content) else None,
        )

    def x265_params(self) -> str:
        """The same as options of x265, each after a colon; '' for nothing."""
        words = ""
        if self.display:
            rx, ry, gx, gy, bx, by, wx, wy, most, least = self.display
            words += (
                f":master-display=G({gx},{gy})B({bx},{by})R({rx},{ry})"
                f"WP({wx},{wy})L({most},{least})"
            )
        if self.content:
            words += f":max-cll={self.content[0]},{self.content[1]}"
        return words


def _is_display(numbers: list[int]) -> bool:
    return (
        len(numbers) == 10
        and all(0 <= one <= _MOST_CHROMATICITY for one in numbers[:8])
        and 0 <= numbers[9] < numbers[8] < _MOST_LUMINANCE
    )


def _is_content(numbers: list[int]) -> bool:
    return len(numbers) == 2 and all(0 <= one <= _MOST_NITS for one in numbers)
