"""A certificate in, its PDF out; the only file that knows `reportlab` (extra `pdf`)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import Drawing, PolyLine, String
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from .plots import HEIGHT, WIDTH

if TYPE_CHECKING:
    from .certificate import Certificate, Section
    from .plots import Plot

_COLOURS = {"green": "#1a7f4b", "amber": "#b36b00", "red": "#b3261e"}
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=7.5, leading=9.5)
_TITLE = ParagraphStyle("title", parent=_BODY, fontName="Helvetica-Bold", fontSize=14, leading=18)
_HEADING = ParagraphStyle("heading", parent=_BODY, fontName="Helvetica-Bold", spaceBefore=5)
_GRID = TableStyle(
    [
        ("FONT", (0, 0), (-1, -1), "Helvetica", 7),
        ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 7),
        ("LINEBELOW", (0, 0), (-1, -1), 0.3, HexColor("#dddddd")),
        ("TOPPADDING", (0, 0), (-1, -1), 0.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.0),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ]
)
_WIDTHS = (66 * mm, 20 * mm, 38 * mm, 32 * mm, 22 * mm)


def certificate_pdf(certificate: Certificate) -> bytes:
    """The PDF; one sheet of A4 unless every procedure has findings."""
    c = certificate.calibration
    story: list[Any] = [
        Paragraph(f"Calibration certificate {_light(certificate.verdict)}", _TITLE),
        Paragraph(
            f"Sensor <b>{escape(c.sensor)}</b>, chip {escape(c.chip or 'not stated')},"
            f" hardware {escape(c.hardware_id or 'not stated')}."
            f" Certificate {c.calibration_id}, issued {certificate.issued:%Y-%m-%d %H:%M} UTC,"
            f" software {escape(c.software or 'not stated')}.",
            _BODY,
        ),
    ]
    story += [Paragraph(f"Flag on every result: {escape(f)}", _BODY) for f in certificate.flags]
    for section in certificate.sections:
        story += _section(section)
    if certificate.plots:
        story += [Spacer(1, 4), Table([[_drawing(plot) for plot in certificate.plots]])]
    story.append(
        Paragraph(
            "Uncertainties are half-widths of 95 % intervals. Gravity by formula, turns counted by"
            " hand: not the figures of an accredited laboratory. A research tool, not a medical"
            " device.",
            _BODY,
        )
    )
    story.append(Paragraph("<br/><br/>Technician ____________________ Date ____________", _BODY))
    out = io.BytesIO()
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=14 * mm,
        rightMargin=14 * mm,
        topMargin=12 * mm,
        bottomMargin=12 * mm,
        title=f"Calibration of {c.sensor}",
    ).build(story)
    return out.getvalue()


def _section(section: Section) -> list[Any]:
    fit = section.fit
    heading = (
        f"{section.title} {_light(fit.verdict)} <font name='Helvetica'>made {fit.made:%Y-%m-%d},"
        f" valid until {fit.valid_until:%Y-%m-%d}, {escape(fit.method)}</font>"
    )
    rows = [("Quantity", "Unit", "Value", "± (95 %)", "Limit")]
    rows += [(row.what, row.unit, row.value, row.u95, row.limit) for row in section.rows]
    findings = [Paragraph(escape(finding), _BODY) for finding in fit.findings]
    table = Table(rows, colWidths=_WIDTHS, style=_GRID)
    return [Paragraph(heading, _HEADING), table, *findings]


def _light(verdict: str) -> str:
    return f"<font color='{_COLOURS[verdict]}'>{verdict}</font>"


def _drawing(plot: Plot) -> Drawing:
    scale = 58 * mm / WIDTH
    drawing = Drawing(WIDTH * scale, HEIGHT * scale)
    drawing.scale(scale, scale)
    for line in plot.lines:
        points = [coordinate for point in line.points for coordinate in point]
        drawing.add(PolyLine(points, strokeColor=HexColor(line.colour), strokeWidth=line.width))
    for text in plot.texts:
        drawing.add(
            String(
                text.x,
                text.y,
                text.words,
                fontName="Helvetica",
                fontSize=8,
                textAnchor=text.anchor,
                fillColor=HexColor(text.colour),
            )
        )
    return drawing
