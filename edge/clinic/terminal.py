"""The protocol in a terminal: prompts, countdowns, a verdict after every trial (rich).

Where the samples come from is not known here: `Live` is the little that is asked of the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from edge.analyze import person_of

from .protocol import INTAKE, LEG_LENGTH, Question, Step, info_of
from .run import ProtocolRun
from .words import leg_length_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.results import LegLength
    from edge.timegrid import Span


# Time to settle after the operator has pressed the key.
SETTLE_S = 3
TICK_S = 0.1


class Live(Protocol):
    """The running session, as far as a protocol needs it."""

    def last(self, seconds: float) -> Span:
        """The newest seconds of all segments, on the recording's own time axis."""

    def mark(self, label: str, what: dict[str, Any]) -> None:
        """Write a marker into the recording: `phase`, `rejected` or `info`."""

    def publish(self, result: LegLength) -> None:
        """Hand the result on to the store and the broker."""


def walk_protocol(
    live: Live,
    sleep: Callable[[float], None],
    console: Console | None = None,
    ask: Callable[[str], str] | None = None,
    steps: Sequence[Step] = LEG_LENGTH,
) -> ProtocolRun:
    """Lead the operator through intake and all steps.

    Parameters
    ----------
    live : Live
        The running session.
    sleep : callable
        Waits so many seconds of the session's time.
    console : Console or None
        Where to write; the terminal by default.
    ask : callable or None
        Gives a line that the operator typed; the console's own by default.
    steps : sequence of Step
        The protocol.

    Returns
    -------
    ProtocolRun
        With a `step` that is still open where the operator typed q. Every trial that was kept is
        marked in the recording either way.
    """
    console = console or Console()
    ask = ask or console.input
    info = info_of(ask_intake(console, ask))
    live.mark("info", info)
    run = ProtocolRun(steps)
    while (step := run.step) is not None:
        console.print(_card(step, *run.place))
        choice = _choice(ask, step)
        if choice == "q":
            console.print(f"Ended before {step.number}. What was done is recorded.")
            return run
        if choice == "s":
            run.skip()
        elif choice == "b":
            run.back()
        else:
            _do(step, run, live, sleep, console, ask)
    console.print("[bold]All trials are done.[/] Everything is recorded.")
    result = run.estimate(person_of(info))
    if result is not None:
        show_result(result, console)
        live.publish(result)
    return run


def _do(
    step: Step,
    run: ProtocolRun,
    live: Live,
    sleep: Callable[[float], None],
    console: Console,
    ask: Callable[[str], str],
) -> None:
    """One trial: settle, hold, judge, and keep it or not."""
    _count_down(console, sleep, "Settle", SETTLE_S)
    _count_down(console, sleep, step.title, step.seconds)
    span = live.last(step.seconds)
    verdict = run.judge(span)
    console.print(Text(verdict.sentence, "green" if verdict.good else "bold red"))
    if verdict.good or _keep_anyway(ask):
        live.mark("phase", run.keep(verdict, span))
    else:
        times = {"start_s": span.start_s, "end_s": span.start_s + len(span) / span.rate_hz}
        live.mark("rejected", {"number": step.number, "why": verdict.sentence, **times})


def _card(step: Step, place: int, n: int) -> Panel:
    lines = [Text(step.operator)]
    if step.patient:
        lines.append(Text.assemble(("To the patient: ", "bold"), step.patient))
    title = f"{step.number}  {step.title}  ({place} of {n}, {step.seconds:.0f} s)"
    return Panel(Group(*lines), title=title, title_align="left")


def _choice(ask: Callable[[str], str], step: Step) -> str:
    """Enter, or one letter; anything else is asked again."""
    letters = "sbq" if step.optional else "bq"
    words = {"s": "s leaves it out", "b": "b goes back one", "q": "q ends"}
    prompt = "Enter starts, " + ", ".join(words[letter] for letter in letters) + ": "
    while True:
        typed = ask(prompt).strip().lower()
        if typed == "" or typed in tuple(letters):
            return typed


def _keep_anyway(ask: Callable[[str], str]) -> bool:
    return ask("Enter repeats it, k keeps it all the same: ").strip().lower() == "k"


def _count_down(
    console: Console, sleep: Callable[[float], None], title: str, seconds: float
) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=seconds)
        ticks = round(seconds / TICK_S)
        for _ in range(ticks):
            sleep(seconds / ticks)
            progress.advance(task, seconds / ticks)


def ask_intake(console: Console, ask: Callable[[str], str]) -> dict[str, Any]:
    """Answers by key; an empty line leaves a question out."""
    console.print("[bold]Intake.[/] An empty line leaves a question out.")
    return {question.key: _answer(question, console, ask) for question in INTAKE}


def _answer(question: Question, console: Console, ask: Callable[[str], str]) -> Any:
    while True:
        hint = "y/n" if question.kind == "yes_no" else f"{question.low:g} to {question.high:g}"
        typed = ask(f"{question.text} ({hint}): ").strip().lower()
        if not typed:
            return None
        value = _parsed(question, typed)
        if value is not None:
            return value
        console.print(Text(f"{typed!r} is not understood; expected {hint}.", "yellow"))


def _parsed(question: Question, typed: str) -> float | bool | None:
    if question.kind == "yes_no":
        return {"y": True, "yes": True, "n": False, "no": False}.get(typed)
    try:
        value = float(typed.replace(",", "."))
    except ValueError:
        return None
    low, high = question.low, question.high
    return value if low is not None and high is not None and low <= value <= high else None


def show_result(result: LegLength, console: Console | None = None) -> None:
    """The result as a clinician reads it: a number with its interval, or the reason for none."""
    console = console or Console()
    table = Table(title="Functional leg-length asymmetry, standing", show_header=False, box=None)
    for name, text in leg_length_rows(result):
        table.add_row(name, text)
    console.print(table)
