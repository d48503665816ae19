"""The certificate: all figures, uncertainties and limits, on one page, as HTML and as PDF."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import pytest

from calibration.certificate import certificate_html, certificate_of
from calibration.certificate.pdf import certificate_pdf
from calibration.fits.accel import FACES, POSES, fit_accel
from calibration.fits.gyro import fit_gyro, read_turn
from calibration.fits.holds import read_hold
from calibration.fits.mag import earth_field
from calibration.fits.noise import fit_noise
from calibration.fits.verify import verify
from calibration.model import MagFit, SensorCalibration, TimingFit, Verdict
from tests.virtual_bench import GRAVITY, BenchSensor

MADE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def whole():
    """A sensor with everything done."""
    rng = np.random.default_rng(41)
    sensor = BenchSensor.drawn(rng)
    accel = fit_accel([read_hold(sensor.hold(rng, p), p) for p in POSES], MADE, GRAVITY)
    turns = [
        read_turn(sensor.turn(rng, f"{axis}_up", n), f"turn_{axis}", n, accel)
        for axis in "xyz"
        for n in (3, -3)
    ]
    gyro = fit_gyro([read_hold(sensor.hold(rng, "z_up", 60.0), "rest")], turns, MADE)
    field = earth_field(48.1, 11.6, 520, date(2026, 3, 1))
    small = (0.1, 0.1, 0.1)
    mag = MagFit(
        made=MADE,
        method="mag_sphere@1.0",
        verdict=Verdict.GREEN,
        bias_ut=(12.0, -3.0, 4.0),
        bias_u95_ut=small,
        matrix=accel.matrix,
        matrix_u95=accel.matrix_u95,
        field_ut=field.strength_ut,
        field_source=field.source,
        rms_ut=0.4,
        dip_residual_rad=0.01,
        n_samples=1500,
    )
    timing = TimingFit(
        made=MADE,
        method="timing_taps@1.0",
        verdict=Verdict.GREEN,
        reference="node-1",
        offset_s=0.0004,
        offset_u95_s=0.0002,
        n_taps=10,
    )
    known = SensorCalibration(
        sensor="node-3",
        chip="LSM6DSOX",
        hardware_id="e6614c311b",
        software="evenstride 0.1.0",
        accel=accel,
        gyro=gyro,
        mag=mag,
        noise=fit_noise(sensor.hold(rng, "z_up", 300.0), MADE),
        timing=timing,
    )
    faces = [read_hold(sensor.hold(rng, face), face) for face in FACES]
    return known.model_copy(update={"verification": verify(known, faces, MADE)})


class Tags(HTMLParser):
    """Every element that was opened is closed, in order."""

    VOID = frozenset({"meta"})

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_else(whole):
    page = certificate_html(certificate_of(whole, MADE))
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    outside = re.findall(r'(?:src|href)="|url\(|https?://(?!www\.w3\.org/2000/svg)', page)
    assert outside == []
    assert page.count("<svg") == 3


def test_page_states_ids_figures_and_limits(whole):
    page = certificate_html(certificate_of(whole, MADE))
    for stated in (
        "node-3",
        "LSM6DSOX",
        "e6614c311b",
        whole.calibration_id,
        "valid until 2026-08-28",
        f"{whole.accel.error_u95_mps2 / 0.00980665:.2f}",
        "World Magnetic Model, 2026-03-01",
        "Late against node-1, 10 taps",
    ):
        assert stated in page


def test_expired_fits_are_flagged_on_the_page(whole):
    late = certificate_of(whole, MADE + timedelta(days=200))
    assert late.verdict is Verdict.AMBER
    assert "Flag on every result: calibration_expired:accel" in certificate_html(late)


def test_names_are_escaped(whole):
    odd = whole.model_copy(update={"chip": "<script>alert(1)</script>"})
    assert "<script>" not in certificate_html(certificate_of(odd, MADE))


def test_a_bias_alone_makes_a_certificate_too():
    rng = np.random.default_rng(1)
    rest = read_hold(BenchSensor.drawn(rng).hold(rng, "z_up", 60.0), "rest")
    bare = SensorCalibration(sensor="n", gyro=fit_gyro([rest], [], MADE))
    certificate = certificate_of(bare, MADE)
    assert certificate.plots == ()
    assert "six counted turns" in certificate_html(certificate)


def test_pdf_is_one_sheet(whole):
    pytest.importorskip("reportlab")
    pdf = certificate_pdf(certificate_of(whole, MADE))
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
