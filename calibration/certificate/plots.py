"""Small plots as plain lines and texts, so that page and PDF draw the same ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from calibration.limits import MILLI_G

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibration.model import AccelFit, NoiseFit

WIDTH, HEIGHT = 300.0, 150.0
_LEFT, _BOTTOM, _RIGHT, _TOP = 40.0, 24.0, 8.0, 16.0
# Colours that differ for colour-blind eyes too (Okabe and Ito), for x, y, z.
COLOURS = ("#0072b2", "#d55e00", "#009e73")


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline; points in plot units, y upwards."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.2


@dataclass(frozen=True, slots=True)
class Text:
    """A short text at a point."""

    x: float
    y: float
    words: str
    anchor: Literal["start", "middle", "end"] = "start"
    colour: str = "#333333"


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines and texts on an area of `WIDTH` times `HEIGHT`."""

    title: str
    lines: tuple[Line, ...]
    texts: tuple[Text, ...]

    def svg(self) -> str:
        """Return the plot as an inline SVG element."""
        area = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{self.title}"'
        parts = [f'<svg {area} xmlns="http://www.w3.org/2000/svg">']
        for line in self.lines:
            points = " ".join(f"{x:.1f},{HEIGHT - y:.1f}" for x, y in line.points)
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{line.colour}"'
                f' stroke-width="{line.width:g}"/>'
            )
        parts += [
            f'<text x="{t.x:.1f}" y="{HEIGHT - t.y:.1f}" text-anchor="{t.anchor}"'
            f' fill="{t.colour}" font-size="8" font-family="sans-serif">{t.words}</text>'
            for t in self.texts
        ]
        return "".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class _Axes:
    """From values to plot units."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _BOTTOM - _TOP
        return (
            _LEFT + wide * (x - self.x_low) / (self.x_high - self.x_low),
            _BOTTOM + high * (y - self.y_low) / (self.y_high - self.y_low),
        )

    def level(self, y: float, colour: str = "#bbbbbb", width: float = 0.6) -> Line:
        return Line((self.at(self.x_low, y), self.at(self.x_high, y)), colour, width)


def allan_plots(noise: NoiseFit) -> tuple[Plot, Plot]:
    """Allan deviation of accelerometer (µg) and gyroscope (°/h), logarithmic on both axes."""
    acc = [[value / MILLI_G * 1e3 for value in row] for row in noise.allan_acc_mps2]
    gyr = [[math.degrees(value) * 3600 for value in row] for row in noise.allan_gyr_radps]
    return (
        _log_plot("Allan deviation, accelerometer (µg)", noise.allan_tau_s, acc),
        _log_plot("Allan deviation, gyroscope (°/h)", noise.allan_tau_s, gyr),
    )


def _log_plot(title: str, tau_s: Sequence[float], rows: Sequence[Sequence[float]]) -> Plot:
    values = [max(v, 1e-12) for row in rows for v in row]
    axes = _Axes(
        math.floor(math.log10(tau_s[0])),
        math.ceil(math.log10(tau_s[-1])),
        math.floor(math.log10(min(values))),
        math.ceil(math.log10(max(values)) + 1e-9),
    )
    lines, texts = [], [Text(_LEFT, HEIGHT - 9, title)]
    for decade in range(int(axes.y_low), int(axes.y_high) + 1):
        x, y = axes.at(axes.x_low, decade)
        lines.append(axes.level(decade))
        texts.append(Text(x - 4, y - 3, f"{10.0**decade:g}", "end"))
    for decade in range(int(axes.x_low), int(axes.x_high) + 1):
        x, y = axes.at(decade, axes.y_low)
        texts.append(Text(x, y - 11, f"{10.0**decade:g} s", "middle"))
    for k, colour in enumerate(COLOURS):
        points = tuple(
            axes.at(math.log10(tau), math.log10(max(row[k], 1e-12)))
            for tau, row in zip(tau_s, rows, strict=True)
        )
        lines.append(Line(points, colour))
        texts.append(Text(WIDTH - 34 + 12 * k, HEIGHT - 9, "xyz"[k], colour=colour))
    return Plot(title, tuple(lines), tuple(texts))


def residual_plot(accel: AccelFit, limit_mps2: float) -> Plot:
    """Length of gravity in each pose minus the true one, mg, with the limits."""
    residuals = [r / MILLI_G for r in accel.residuals_mps2]
    limit = limit_mps2 / MILLI_G
    reach = 1.1 * max(limit, *(abs(r) for r in residuals))
    axes = _Axes(0.0, float(len(residuals)), -reach, reach)
    title = "Gravity in each pose, off by (mg)"
    lines = [axes.level(0.0), axes.level(limit, "#cc3333"), axes.level(-limit, "#cc3333")]
    texts = [Text(_LEFT, HEIGHT - 9, title)]
    for value in (-limit, 0.0, limit):
        x, y = axes.at(0.0, value)
        texts.append(Text(x - 4, y - 3, f"{value:+.0f}", "end"))
    for pose, residual in enumerate(residuals):
        middle = pose + 0.5
        lines.append(Line((axes.at(middle, 0.0), axes.at(middle, residual)), COLOURS[0], 5.0))
    x, y = axes.at(len(residuals) / 2, -reach)
    texts.append(Text(x, y - 11, f"{len(residuals)} poses", "middle"))
    return Plot(title, tuple(lines), tuple(texts))
