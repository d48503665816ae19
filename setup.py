"""Builds the Cython core. Everything else about the package stands in pyproject.toml."""

import os
import sys
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

# `make check-safe` builds with bounds checks on and runs the same tests.
CHECKED = os.environ.get("EVENSTRIDE_CHECKED", "0") == "1"

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKED,
    "wraparound": CHECKED,
    "initializedcheck": CHECKED,
    "cdivision": not CHECKED,
    "embedsignature": True,
    "freethreading_compatible": True,
}

# No -march=native: a wheel must run on every machine of its architecture.
# -ffp-contract=off keeps x86 and ARM results equal (no fused multiply-add on one of them only).
COMPILE = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]


# C files beside the `.pyx` of the same extension: what the compiler is to turn into vectors.
KERNELS = {"orientation": ("orientation_choice", "orientation_lanes4", "orientation_lanes8")}


def sources(source: Path) -> list[str]:
    """Files to compile for one `.pyx`: itself and its C kernels, if it has any."""
    kernels = KERNELS.get(source.stem, ())
    return [str(source), *(str(source.with_name(f"{kernel}.c")) for kernel in kernels)]


def extensions() -> list[Extension]:
    """One extension for each `.pyx` file of the core, named after it."""
    return [
        Extension(
            f"cext.{source.stem}",
            sources(source),
            depends=[str(part) for part in sorted(Path("cext").glob(f"{source.stem}_*.[ch]"))],
            include_dirs=[numpy.get_include(), "cext"],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
            extra_compile_args=COMPILE if sys.platform != "win32" else [],
        )
        for source in sorted(Path("cext").glob("*.pyx"))
    ]


setup(ext_modules=cythonize(extensions(), compiler_directives=DIRECTIVES, build_dir="build/cython"))
