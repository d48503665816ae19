"""The page's own files, read as text: they agree with each other and can be read by everybody."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.web.views.figure import LIGHTS
from sensors import Segment

STATIC = Path(__file__).resolve().parent.parent / "edge" / "web" / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
each_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)


@each_script
def test_what_a_script_looks_for_is_on_the_page(script):
    ids = set(re.findall(r'id="([\w-]+)"', (STATIC / "index.html").read_text()))
    assert set(re.findall(r'byId\("([\w-]+)"\)', script.read_text())) <= ids


@each_script
def test_what_a_script_imports_is_there(script):
    for names, module in re.findall(r'import \{ ([^}]+) \} from "\./([\w.]+)"', script.read_text()):
        exported = re.findall(r"export (?:async )?(?:function|const) (\w+)", _text(module))
        assert set(names.split(", ")) <= set(exported)


@each_script
@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_a_script_can_be_read(script, tmp_path):
    module = tmp_path / f"{script.stem}.mjs"
    module.write_text(script.read_text())
    done = subprocess.run(["node", "--check", module], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_script_makes_markup_of_text():
    for script in SCRIPTS:
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", _text(script)
        )


def test_every_segment_has_a_place_on_the_body_and_every_light_a_sign():
    places = re.search(r"const PLACES = \{(.*?)\};", _text("now.js"), re.DOTALL)[1]
    assert set(re.findall(r"(\w+):", places)) == {segment.value for segment in Segment}
    signs = re.search(r"export const LIGHTS = \{(.*?)\};", _text("dom.js"), re.DOTALL)[1]
    assert dict(re.findall(r'(\w+): \{ sign: "(.)"', signs)).keys() == set(LIGHTS)


def test_the_persons_left_is_on_the_readers_right():
    text = _text("now.js")
    x = {name: int(x) for name, x in re.findall(r"(\w+_\w+): \[(\d+),", text)}
    assert x["right_foot"] < x["left_foot"]
    assert x["right_shank"] < x["left_shank"]
    assert re.search(r"r-shank body l-shank", _text("style.css"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme):
    """WCAG 2.2, 1.4.3: 4.5 to 1 at least."""
    light, dark = re.findall(r":root \{(.*?)\}", _text("style.css"), re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): #(\w{6})", light if scheme == "light" else dark))
    pairs = [
        (name, ground)
        for name in ("text", "quiet", "left", "right")
        for ground in ("ground", "card")
    ]
    pairs += [(name, f"{name}-soft") for name in (*LIGHTS, "left", "right")]
    pairs += [("quiet", "none-soft"), ("text", "edge"), *((name, "card") for name in LIGHTS)]
    for ink, ground in pairs:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _text(name) -> str:
    return (STATIC / name).read_text()
