"""The running session for a protocol: the newest seconds out, markers and the result in.

`LiveWindow` stands in `acquire`, `RemoteLive` in the program that leads the operator; between them
is the control socket. Samples travel as raw little-endian doubles in base64: a hundred seconds of
five sensors are three megabytes.
"""

from __future__ import annotations

import base64
import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.acquire.control import ask
from edge.errors import UserError
from edge.results import LegLength
from edge.timegrid import Span, join
from sensors import Segment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

# The longest trial is the walk; with a little more to spare.
LONGEST_S = 120.0
# What is kept where no protocol has spoken for an hour: two minutes of a day are not worth 6 MB.
IDLE_S = 20.0
SILENCE_S = 3600.0
LABELS = {"phase", "rejected", "info"}
CLINIC_COMMANDS = ("live", "mark", "leg_length")


class LiveWindow:
    """The newest spans of a session, and what a protocol wants written down.

    `add` and `take_marks` belong to the thread that acquires, the rest to those of the control
    socket; spans are shared under a lock.

    Parameters
    ----------
    publish : callable
        Takes the result of a protocol; may be called from any thread.
    """

    def __init__(self, publish: Callable[[LegLength], None]) -> None:
        self._publish = publish
        self._spans: deque[Span] = deque()
        self._lock = threading.Lock()
        # When a protocol last spoke; replaced whole.
        self._spoken_s = -SILENCE_S
        self._marks: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()

    def add(self, span: Span) -> None:
        """Take in the next ticks; the oldest ones go."""
        with self._lock:
            self._spans.append(span)
            silent = span.start_s - self._spoken_s >= SILENCE_S
            keep_s = IDLE_S if silent else LONGEST_S
            while self._spans[0].start_s < span.start_s - keep_s:
                self._spans.popleft()

    def last(self, seconds: float) -> Span:
        """The newest seconds of all segments, as many of them as there are.

        Raises
        ------
        UserError
            Before the first samples.
        """
        with self._lock:
            spans = tuple(self._spans)
        if not spans:
            raise UserError("live: no samples yet; see: evenstride status")
        whole = join(spans)
        return whole.part(max(len(whole) - round(seconds * whole.rate_hz), 0), len(whole))

    def take_marks(self) -> list[tuple[str, dict[str, Any]]]:
        """Label and content of what is to be written into the recording."""
        marks = []
        while not self._marks.empty():
            marks.append(self._marks.get())
        return marks

    def commands(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """Requests of the control socket that are answered here."""
        answers = (self._live, self._mark, self._leg_length)
        return dict(zip(CLINIC_COMMANDS, answers, strict=True))

    def _live(self, request: dict[str, Any]) -> dict[str, Any]:
        seconds = request.get("seconds")
        if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_S:
            raise UserError(f"live: seconds {seconds!r}; expected 0 to {LONGEST_S:.0f}")
        self._listen()
        return encode(self.last(seconds))

    def _mark(self, request: dict[str, Any]) -> dict[str, Any]:
        label, what = request.get("label"), request.get("what")
        if not isinstance(label, str) or label not in LABELS or not isinstance(what, dict):
            raise UserError("mark: expected a label (phase, rejected, info) and an object, what")
        self._listen()
        self._marks.put((label, what))
        return {}

    def _listen(self) -> None:
        """A protocol speaks: its trials must be there when it asks for them."""
        with self._lock:
            if self._spans:
                self._spoken_s = self._spans[-1].start_s

    def _leg_length(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            result = LegLength.model_validate_json(str(request.get("result")))
        except ValueError as error:
            raise UserError(f"leg_length: not a result: {error}") from None
        self._publish(result)
        return {}


class RemoteLive:
    """The session of an `acquire` that listens on a socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self, seconds: float) -> Span:
        """The newest seconds of all segments."""
        return decode(ask(self._path, "live", seconds=seconds))

    def mark(self, label: str, what: dict[str, Any]) -> None:
        """Write a marker into the recording."""
        ask(self._path, "mark", label=label, what=what)

    def publish(self, result: LegLength) -> None:
        """Hand the result on to the store and the broker."""
        ask(self._path, "leg_length", result=result.model_dump_json())


def encode(span: Span) -> dict[str, Any]:
    """A span as JSON; magnetometers stay behind, no protocol asks for them."""
    flags = span.valid.astype(np.uint8) | (span.saturated.astype(np.uint8) << 1)
    return {
        "rate_hz": span.rate_hz,
        "start_s": span.start_s,
        "segments": list(span.segments),
        "gyr": _packed(span.gyr.astype("<f8")),
        "acc": _packed(span.acc.astype("<f8")),
        "flags": _packed(flags),
    }


def decode(text: dict[str, Any]) -> Span:
    """The span that `encode` was given, to the bit."""
    segments = tuple(Segment(name) for name in text["segments"])
    k = len(segments)
    flags = np.frombuffer(base64.b64decode(text["flags"]), np.uint8).reshape(-1, k)
    gyr, acc = (
        np.frombuffer(base64.b64decode(text[name]), "<f8").reshape(-1, k, 3).astype(np.float64)
        for name in ("gyr", "acc")
    )
    return Span(
        text["rate_hz"], text["start_s"], segments, gyr, acc, None, (flags & 1) > 0, (flags & 2) > 0
    )


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
