"""Readings of a field of constant strength in, bias and symmetric matrix with covariance out.

Shared by the accelerometer (gravity, still poses) and the magnetometer (the earth's field, any
turning): `|matrix @ (reading - bias)|` must be the strength of the field. Gauss-Newton on the nine
unknowns with the data sheet's spread as prior: what the readings do not show keeps the spread that
it had, and the stated uncertainty says so. A method in NumPy alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The six free elements of the symmetric matrix: xx, yy, zz, yz, xz, xy.
_ROW = np.array([0, 1, 2, 1, 0, 0])
_COL = np.array([0, 1, 2, 2, 2, 1])
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Prior:
    """What the data sheet promises before any reading, standard deviations.

    Attributes
    ----------
    bias : float
        In the unit of the readings.
    scale, cross : float
        Of the diagonal and of the other elements of the symmetric matrix.
    """

    bias: float
    scale: float
    cross: float

    @property
    def sd(self) -> Array:
        """Of the nine unknowns in order."""
        return np.repeat([self.bias, self.scale, self.cross], 3)


@dataclass(frozen=True, slots=True, eq=False)
class Sphere:
    """The fitted correction.

    Attributes
    ----------
    bias : (3,) float64
        Unit of the readings.
    matrix : (3, 3) float64
        Symmetric, near the identity.
    covariance : (9, 9) float64
        Of bias x, y, z and matrix xx, yy, zz, yz, xz, xy.
    residuals : (n,) float64
        Strength after correction minus the field's.
    left_out : (n,) float64
        The same, each reading predicted from a fit without it.
    sd : float
        Standard deviation of one residual.
    dof : float
        Degrees of freedom behind `sd`; infinite where it was assumed.
    """

    bias: Array
    matrix: Array
    covariance: Array
    residuals: Array
    left_out: Array
    sd: float
    dof: float

    @property
    def coverage_factor(self) -> float:
        """Student's t for 95 %."""
        return student_t95(self.dof)

    @property
    def bias_u95(self) -> Array:
        """(3,), half-widths of the 95 % intervals."""
        return self.coverage_factor * np.sqrt(np.diag(self.covariance)[:3])

    @property
    def matrix_u95(self) -> Array:
        """(3, 3), half-widths of the 95 % intervals."""
        return self.coverage_factor * symmetric(np.sqrt(np.diag(self.covariance)[3:]))

    def error_u95(self, strength: float) -> float:
        """Greatest 95 % error of one corrected component, over all directions of the field."""
        directions = fibonacci(200)
        jacobian = np.concatenate(
            [
                np.broadcast_to(-self.matrix, (len(directions), 3, 3)),
                _symmetric_product(directions * strength),
            ],
            axis=2,
        )
        variance = np.einsum("nij,jk,nik->ni", jacobian, self.covariance, jacobian)
        return self.coverage_factor * float(np.sqrt(variance.max()))


def symmetric(elements: Array) -> Array:
    """(6,) elements xx, yy, zz, yz, xz, xy as a (3, 3) matrix."""
    matrix = np.empty((3, 3))
    matrix[_ROW, _COL] = elements
    matrix[_COL, _ROW] = elements
    return matrix


def fibonacci(n: int) -> Array:
    """`n` unit vectors spread evenly over the sphere, (n, 3)."""
    index = np.arange(n) + 0.5
    z = 1 - 2 * index / n
    turn = np.pi * (1 + math.sqrt(5)) * index
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=1)


def student_t95(dof: float) -> float:
    """Two-sided 95 % quantile of Student's t (Hill 1970, to 1e-3 from 3 degrees of freedom)."""
    if math.isinf(dof):
        return 1.959964
    z = 1.959964
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / dof**k for k, term in enumerate(terms, start=1))


def fit_sphere(
    readings: Array, strength: float, prior: Prior, assumed_sd: float, *, centre: bool = False
) -> Sphere:
    """Fit bias and symmetric matrix.

    Parameters
    ----------
    readings : (n, 3) float64
        n >= 6, in many directions.
    strength : float
        Of the field, unit of the readings.
    prior : Prior
        Spread before the fit.
    assumed_sd : float
        Of one reading's strength; used while fewer than three readings are redundant.
    centre : bool
        Begin at the centre of the readings instead of at zero: for a bias as large as the field.

    Returns
    -------
    Sphere
        The fit with the covariance of its unknowns.

    Raises
    ------
    ValueError
        If the readings are not (n, 3) with n >= 6 and finite.
    """
    if readings.ndim != 2 or readings.shape[1] != 3 or len(readings) < 6:
        raise ValueError(f"expected at least six readings (n, 3), got shape {readings.shape}")
    if not np.isfinite(readings).all():
        raise ValueError("expected finite readings")
    start = np.zeros(9)
    if centre:
        start[:3] = _centre(readings)
    sd, dof, unknowns = assumed_sd, math.inf, start
    # The balance of data and prior depends on sd, and sd on the residuals: three rounds settle it.
    for _ in range(3):
        unknowns = _gauss_newton(readings, strength, prior.sd, sd, unknowns)
        residuals, jacobian = _linearise(readings, strength, unknowns)
        covariance = np.asarray(
            np.linalg.inv(jacobian.T @ jacobian / sd**2 + np.diag(prior.sd**-2)), dtype=np.float64
        )
        leverage = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian) / sd**2
        redundant = len(readings) - float(leverage.sum())
        if redundant < 3:
            break
        sd = math.sqrt(float(residuals @ residuals) / redundant)
        dof = redundant
    return Sphere(
        bias=unknowns[:3],
        matrix=np.eye(3) + symmetric(unknowns[3:]),
        covariance=covariance,
        residuals=residuals,
        left_out=residuals / np.maximum(1 - leverage, 1e-3),
        sd=sd,
        dof=dof,
    )


def _gauss_newton(readings: Array, strength: float, prior: Array, sd: float, start: Array) -> Array:
    unknowns, damping = start, 0.0
    cost = _cost(readings, strength, prior, sd, unknowns)
    for _ in range(_STEPS):
        residuals, jacobian = _linearise(readings, strength, unknowns)
        normal = jacobian.T @ jacobian / sd**2 + np.diag(prior**-2)
        gradient = jacobian.T @ residuals / sd**2 + unknowns / prior**2
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -gradient)
        trial = _cost(readings, strength, prior, sd, unknowns + step)
        if trial > cost * (1 + 1e-12):
            damping = max(10 * damping, 1e-3)
            continue
        unknowns, cost, damping = unknowns + step, trial, damping / 10
        if np.max(np.abs(step) / prior) < 1e-9:
            break
    return unknowns


def _cost(readings: Array, strength: float, prior: Array, sd: float, unknowns: Array) -> float:
    corrected = (readings - unknowns[:3]) @ (np.eye(3) + symmetric(unknowns[3:]))
    residuals = np.linalg.norm(corrected, axis=1) - strength
    return float(residuals @ residuals / sd**2 + (unknowns / prior) @ (unknowns / prior))


def _linearise(readings: Array, strength: float, unknowns: Array) -> tuple[Array, Array]:
    """Residuals (n,) and their derivatives (n, 9)."""
    matrix = np.eye(3) + symmetric(unknowns[3:])
    centred = readings - unknowns[:3]
    corrected = centred @ matrix
    length = np.linalg.norm(corrected, axis=1)
    direction = corrected / length[:, None]
    by_matrix = np.einsum("ni,nij->nj", direction, _symmetric_product(centred))
    return length - strength, np.concatenate([-direction @ matrix, by_matrix], axis=1)


def _symmetric_product(vectors: Array) -> Array:
    """Derivative of `symmetric(s) @ v` by `s`: (n, 3, 6)."""
    product = np.zeros((len(vectors), 3, 6))
    k = np.arange(6)
    product[:, _ROW, k] = vectors[:, _COL]
    product[:, _COL, k] = vectors[:, _ROW]
    return product


def _centre(readings: Array) -> Array:
    """Centre of the sphere through the readings, linear least squares."""
    design = np.concatenate([2 * readings, np.ones((len(readings), 1))], axis=1)
    solution, *_ = np.linalg.lstsq(design, np.sum(readings**2, axis=1), rcond=None)
    return np.asarray(solution[:3], dtype=np.float64)
