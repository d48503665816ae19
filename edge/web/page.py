"""The page as an ASGI application: files, three views as JSON, and a stream of what is new.

One look a second serves all browsers, and none where nobody looks. Each browser's stream waits for
that browser alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.responses import (
    FileResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .guard import PAIR, STATIC, Guard
from .pairing import COOKIE, LASTS_S
from .views.now import now_view
from .views.walking import StridePoint, stride_point

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from starlette.requests import Request

    from edge.results import Record

    from .pairing import Pairing
    from .sight import Sight

FILES = Path(__file__).parent / "static"
LOOK_S = 1.0
LONGEST_FORM = 200
POINTS = TypeAdapter(list[StridePoint])
# How soon a browser comes back when the stream ends, in milliseconds.
RETRY_MS = 2000


@dataclass(frozen=True, slots=True)
class Moment:
    """What one look gave, ready to be sent."""

    now_json: str
    points: tuple[StridePoint, ...]


class Page:
    """Routes of the page.

    Parameters
    ----------
    sight : Sight
        What is looked at.
    names : collection of str
        See `Guard`.
    pairing : Pairing or None
        None where only this machine can reach the page.
    is_leaving : callable
        True from when the service is told to stop: streams end then.
    """

    def __init__(
        self,
        sight: Sight,
        names: Collection[str],
        pairing: Pairing | None,
        is_leaving: Callable[[], bool],
    ) -> None:
        self._sight = sight
        self._pairing = pairing
        self._is_leaving = is_leaving
        self._looking = asyncio.Lock()
        self._moment = Moment("", ())
        self._looked_s = -LOOK_S
        routes = [
            Route("/", self._index),
            Route(PAIR, self._pair_form, methods=["GET"]),
            Route(PAIR, self._pair, methods=["POST"]),
            Route("/api/now", self._now),
            Route("/api/day", self._day),
            Route("/api/results", self._outcomes),
            Route("/api/live", self._live),
            Mount(STATIC, StaticFiles(directory=FILES)),
        ]
        self.app = Guard(Starlette(routes=routes), names, pairing)

    async def _index(self, _: Request) -> Response:
        return FileResponse(FILES / "index.html")

    async def _now(self, _: Request) -> Response:
        return Response((await self._look()).now_json, media_type="application/json")

    async def _day(self, request: Request) -> Response:
        wanted = request.query_params.get("session")
        return await self._slowly(lambda: self._sight.day(wanted))

    async def _outcomes(self, _: Request) -> Response:
        return await self._slowly(self._sight.outcomes)

    async def _live(self, request: Request) -> Response:
        last_id = request.headers.get("last-event-id", "")
        return StreamingResponse(self._events(last_id), media_type="text/event-stream")

    async def _events(self, last_id: str) -> AsyncIterator[str]:
        """What is new, each second; ids of messages sort by their making."""
        yield f"retry: {RETRY_MS}\n\n"
        while not self._is_leaving():
            moment = await self._look()
            yield f"event: now\ndata: {moment.now_json}\n\n"
            fresh = [point for point in moment.points if point.id > last_id]
            if fresh:
                last_id = fresh[-1].id
                data = POINTS.dump_json(fresh).decode()
                yield f"event: strides\nid: {last_id}\ndata: {data}\n\n"
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> Moment:
        async with self._looking:
            if time.monotonic() - self._looked_s >= LOOK_S:
                self._moment = await asyncio.to_thread(self._take_moment)
                self._looked_s = time.monotonic()
            return self._moment

    def _take_moment(self) -> Moment:
        facts = self._sight.look()
        points = (stride_point(live) for live in facts.strides)
        return Moment(
            now_json=now_view(facts).model_dump_json(),
            points=tuple(point for point in points if point is not None),
        )

    async def _slowly(self, make: Callable[[], Record]) -> Response:
        async with self._looking:
            try:
                view = await asyncio.to_thread(make)
            except sqlite3.Error as error:
                return JSONResponse({"error": f"the store cannot be read: {error}"}, 503)
        return Response(view.model_dump_json(), media_type="application/json")

    async def _pair_form(self, _: Request) -> Response:
        if self._pairing is None:
            return RedirectResponse("/", 303)
        return FileResponse(FILES / "pair.html")

    async def _pair(self, request: Request) -> Response:
        if self._pairing is None:
            return RedirectResponse("/", 303)
        form = b""
        async for part in request.stream():
            form += part
            if len(form) > LONGEST_FORM:
                return Response("a form that is too long", 413)
        typed = parse_qs(form.decode("ascii", "replace")).get("code", [""])[0]
        outcome = self._pairing.take(typed)
        if outcome != "paired":
            # The page shows the sentence that the fragment names: it has no scripts.
            return RedirectResponse(f"{PAIR}#{outcome}", 303)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            self._pairing.cookie(),
            max_age=LASTS_S,
            secure=True,
            httponly=True,
            samesite="strict",
        )
        return answer
