"""The colours of a chart's parts, as Rich styles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Rich styles of a chart's parts. series: by the numbers of `core.report.styles`."""

    axes: str
    words: str
    rules: str
    series: tuple[str, ...]

    def of(self, number: int) -> str:
        """The style of series `number`, from 0; styles repeat where there are more series than styles."""
        return self.series[number % len(self.series)]
