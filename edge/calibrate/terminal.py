"""A guide in the terminal: what to do, countdown, progress, verdict of each step, fit so far.

Answers: Enter takes the step, `r NAME` takes an earlier one again, `s` leaves an optional one out,
`q` stops. Whatever was taken is in the trial; the same command goes on from there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from calibration.errors import CalibrationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from calibration.guide import GuideStep, GuideWalk, Outcome

What = TypeVar("What")
_TICK_S = 0.1


def walk_guide(
    walk: GuideWalk[What],
    record: Callable[[GuideStep, Callable[[float], None]], What],
    *,
    so_far: Callable[[], str] = str,
    console: Console | None = None,
    ask: Callable[[str], str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Lead a person through a guide.

    Parameters
    ----------
    walk : GuideWalk
        Perhaps half done.
    record : callable
        Records the readings of a step, telling the share done.
    so_far : callable
        A sentence about the fit so far; empty for none.
    console : Console, optional
        Where to write; standard error by default, so that `--json` stays clean.
    ask : callable, optional
        Gets one line from the person.
    sleep : callable
        Waits so many seconds.

    Returns
    -------
    bool
        Whether the guide was finished; False if the person stopped.
    """
    console = console or Console(stderr=True)
    ask = ask or console.input
    guide = walk.guide
    console.print(
        Panel(f"{escape(guide.before)}\nAbout {guide.minutes:g} min.", title=escape(guide.title))
    )
    if walk.done:
        console.print(f"{len(walk.done)} of {len(guide.steps)} steps were done before: going on.")
    while (step := walk.next) is not None:
        place = f"{guide.steps.index(step) + 1} of {len(guide.steps)}"
        console.print(f"\n[bold]{place}: {escape(step.name)}[/bold]  {escape(step.do)}")
        answer = ask("Enter, r NAME, s, q: ").split()
        if answer == ["q"]:
            console.print("Stopped. What was taken is kept; the same command goes on here.")
            return False
        if answer:
            _obey(walk, step, answer, console)
            continue
        _count_down(console, step.settle_s, sleep)
        outcome = walk.take(step, _recorded(console, step, record))
        _tell(console, outcome, so_far)
    return True


def _obey(walk: GuideWalk[What], step: GuideStep, answer: list[str], console: Console) -> None:
    try:
        match answer:
            case ["s"]:
                walk.leave_out(step.name)
            case ["r", name] if name in walk.done:
                walk.repeat(name)
            case _:
                console.print(f"Taken so far: {', '.join(walk.done) or 'nothing'}.")
    except CalibrationError as error:
        console.print(f"[yellow]{escape(str(error))}[/yellow]")


def _count_down(console: Console, seconds: float, sleep: Callable[[float], None]) -> None:
    with console.status("") as status:
        left = seconds
        while left > 0:
            status.update(f"Recording in {left:.1f} s: hands off.")
            sleep(_TICK_S)
            left -= _TICK_S


def _recorded(
    console: Console,
    step: GuideStep,
    record: Callable[[GuideStep, Callable[[float], None]], What],
) -> What:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"Recording {step.name}", total=1.0)
        return record(step, lambda share: progress.update(task, completed=share))


def _tell(console: Console, outcome: Outcome, so_far: Callable[[], str]) -> None:
    colour = "green" if outcome.taken else "red"
    console.print(f"[{colour}]{escape(outcome.sentence)}[/{colour}]")
    summary = so_far() if outcome.taken else ""
    if summary:
        console.print(escape(summary))
