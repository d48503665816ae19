"""The steps of calibrating and fitting, as data; the terminal and the page walk the same rows.

A `GuideWalk` knows which step is next and what was done; it has no clock, screen or sensor. Raw
readings are in the trial on disk before anything judges them, so nothing is lost when a step is
refused or the power goes: opening the same folder again goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sensors import Segment

from .errors import CalibrationError, Refused
from .fits.accel import FACES, POSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .trial import Readings, Trial

TURNS = 3
# Of the steps in which a sensor is tapped; the segment follows.
TAP = "tap_"

What = TypeVar("What")


class Keeps(Protocol[What]):
    """A trial: of one sensor (`Trial`) or of all that a person wears (`GroupTrial`)."""

    def done(self) -> tuple[str, ...]:
        """Steps whose readings are complete."""

    def save(self, step: str, readings: What) -> None:
        """Write the readings of a step."""

    def load(self, step: str) -> What:
        """Read the readings of a step."""


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One row of a guide.

    Attributes
    ----------
    name : str
        Of the readings in the trial, and in every refusal.
    do : str
        One or two sentences for the person.
    seconds : float
        Recorded, from the key press and `settle_s` on.
    settle_s : float
        Countdown before recording: hands off, table quiet.
    turns : int
        Of a counted turn, counter-clockwise seen from above positive; else 0.
    optional : bool
        May be left out.
    """

    name: str
    do: str
    seconds: float
    settle_s: float = 2.0
    turns: int = 0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Guide:
    """One procedure.

    Attributes
    ----------
    name : str
    title : str
    before : str
        What to have ready.
    minutes : float
        What it takes when nothing is repeated.
    steps : tuple of GuideStep
    """

    name: str
    title: str
    before: str
    minutes: float
    steps: tuple[GuideStep, ...]

    def step(self, name: str) -> GuideStep:
        """Row of that name; KeyError where there is none."""
        return {step.name: step for step in self.steps}[name]


_EDGES = tuple(POSES)[6:18]


def _pose(name: str) -> GuideStep:
    axes = name.replace("_up", "+").replace("_down", "-").replace("_", " and ")
    how = "Lay the sensor down with" if name in FACES else "Lean the sensor on the block with both"
    return GuideStep(name, f"{how} {axes} pointing up and take your hands off.", 3.0)


def _turn(axis: str, turns: int) -> GuideStep:
    way = "counter-clockwise" if turns > 0 else "clockwise"
    return GuideStep(
        f"turn_{axis}_{'left' if turns > 0 else 'right'}",
        f"Lay the sensor against the ruler with {axis}+ up. Wait 2 s, slide it round {abs(turns)}"
        f" whole turns {way}, back against the ruler, wait 2 s.",
        25.0,
        settle_s=1.0,
        turns=turns,
    )


ACCEL = Guide(
    "accel",
    "Accelerometer: bias, scale, cross-axis",
    "A table that nothing shakes, a heavy block to lean the sensor on. The sensor 10 min warm.",
    4.0,
    tuple(_pose(name) for name in (*FACES, *_EDGES)),
)
ACCEL_SIX = Guide(
    "accel-six",
    "Accelerometer, quick: bias and scale only",
    "A table that nothing shakes. The sensor 10 min warm.",
    1.0,
    tuple(_pose(name) for name in FACES),
)
GYRO = Guide(
    "gyro",
    "Gyroscope: bias, scale, cross-axis",
    "A smooth level table with a ruler fixed to it. The accelerometer calibrated before.",
    4.0,
    (
        GuideStep("rest", "Lay the sensor down and leave it alone.", 60.0),
        *(_turn(axis, turns) for axis in "xyz" for turns in (TURNS, -TURNS)),
        GuideStep(
            "rest_cold",
            "For the bias over temperature: half an hour in a dry bag in the refrigerator, then lay"
            " the sensor down at once and leave it alone.",
            60.0,
            optional=True,
        ),
        GuideStep(
            "rest_warm",
            "Half an hour in the sun or on a radiator (40 degC, no more), then lay the sensor down"
            " at once and leave it alone.",
            60.0,
            optional=True,
        ),
    ),
)
MAG = Guide(
    "mag",
    "Magnetometer: hard and soft iron",
    "A place 1 m from steel, motors and telephones; outdoors is best.",
    1.5,
    (
        GuideStep(
            "turn_over",
            "Turn the sensor over slowly in your hand, at one spot, until every side of it has"
            " pointed up, down and all round.",
            60.0,
        ),
    ),
)
NOISE = Guide(
    "noise",
    "Noise: a long rest",
    "A quiet room and a heavy table, best over night.",
    31.0,
    (GuideStep("long_rest", "Lay the sensor down and leave the room.", 1800.0, settle_s=10.0),),
)
TAPS = Guide(
    "taps",
    "Time: shared taps",
    "All sensors fixed to one stiff plate.",
    0.5,
    (GuideStep("taps", "Knock on the plate ten times, once a second.", 15.0),),
)
VERIFY = Guide(
    "verify",
    "Check against the certificate",
    "A table that nothing shakes.",
    1.0,
    tuple(_pose(name) for name in FACES),
)
FITTING = Guide(
    "fit",
    "Fitting on the person",
    "Sensors strapped on: instep of both shoes, flat of both shins, back of the pelvis.",
    3.0,
    (
        GuideStep("stand", "Stand still, feet at hip width, knees straight.", 10.0, settle_s=3.0),
        GuideStep("walk", "Walk ten steps straight on at your usual pace.", 15.0, settle_s=1.0),
        GuideStep(
            "bows",
            "Feet still, knees straight: bow slowly from the hips, five times, and stand up again"
            " in between.",
            30.0,
            optional=True,
        ),
    ),
)
TAPPING = Guide(
    "tapping",
    "Which sensor sits where",
    "Sensors strapped on; the person stands or sits still.",
    0.7,
    tuple(
        GuideStep(
            TAP + segment,
            f"Tap the sensor of the {segment.replace('_', ' ')} three times with a finger nail.",
            5.0,
            settle_s=1.0,
            optional=True,
        )
        for segment in Segment
    ),
)
GUIDES = {g.name: g for g in (ACCEL, ACCEL_SIX, GYRO, MAG, NOISE, TAPS, VERIFY, FITTING, TAPPING)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one step: taken or refused, with a sentence for the person."""

    step: GuideStep
    taken: bool
    sentence: str


class GuideWalk(Generic[What]):
    """One guide on its way through one trial.

    Parameters
    ----------
    guide : Guide
        The rows.
    trial : Trial
        Where the readings are kept; a trial begun earlier is gone on with.
    judge : callable
        Looks at the readings of one step: a sentence when they are good, `Refused` when not.
    """

    def __init__(
        self, guide: Guide, trial: Keeps[What], judge: Callable[[GuideStep, What], str]
    ) -> None:
        self.guide = guide
        self.trial = trial
        self._judge = judge
        self._good = {step.name for step in guide.steps if self._still_good(step)}
        self._left_out: set[str] = set()

    @property
    def done(self) -> tuple[str, ...]:
        """Names of the steps that were taken, in the order of the guide."""
        return tuple(step.name for step in self.guide.steps if step.name in self._good)

    @property
    def next(self) -> GuideStep | None:
        """The first step not yet taken; None when all are."""
        settled = self._good | self._left_out
        return next((step for step in self.guide.steps if step.name not in settled), None)

    def take(self, step: GuideStep, readings: What) -> Outcome:
        """Keep the readings of a step, then judge them; a refused step stays next."""
        self.trial.save(step.name, readings)
        try:
            sentence = self._judge(step, readings)
        except Refused as refused:
            self._good.discard(step.name)
            return Outcome(step, taken=False, sentence=str(refused))
        self._good.add(step.name)
        return Outcome(step, taken=True, sentence=sentence)

    def repeat(self, name: str) -> None:
        """Take a step again; its readings stay in the trial until the new ones are there."""
        self._good.discard(name)
        self._left_out.discard(name)

    def leave_out(self, name: str) -> None:
        """Go on without an optional step.

        Raises
        ------
        CalibrationError
            If the guide needs it.
        """
        if not self.guide.step(name).optional:
            raise CalibrationError(f"{name} cannot be left out of {self.guide.name}")
        self._left_out.add(name)

    def _still_good(self, step: GuideStep) -> bool:
        if step.name not in self.trial.done():
            return False
        try:
            self._judge(step, self.trial.load(step.name))
        except CalibrationError:
            return False
        return True


def readings_of(trial: Trial, names: Sequence[str]) -> dict[str, Readings]:
    """Those of the steps that were taken."""
    done = set(trial.done())
    return {name: trial.load(name) for name in names if name in done}
