"""What the page says: pure views of facts."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from edge.config import Config
from edge.contract import COMPARISON
from edge.messages import Event, Session
from edge.results import LegLength, Metric, Summary
from edge.store.outbox import Backlog
from edge.store.reader import SessionSpan
from edge.web.views.day import day_view
from edge.web.views.facts import Facts, LiveStride, Machine, Seat, Told
from edge.web.views.figure import decimals, figure, metric_figure, spread_figure, worst
from edge.web.views.machine import duration
from edge.web.views.now import now_view
from edge.web.views.outcomes import leg_length_sentence, outcomes_view
from edge.web.views.walking import bout_figures, stride_point, walking_view
from sensors import Segment, Side
from tests.test_summaries import day_of, walk
from tests.web_bench import bout_of, five_nodes, live_stride, node

UTC_S = 1_795_000_000.0
MONO_NS = 500 * 10**9
SESSION = Session(
    session="s-1",
    subject="K7Q2-M9XD-0",
    started="2026-11-25T08:00:00Z",
    assignments={name: found.segment for name, found in five_nodes().items()},
    calibrations=tuple(f"{name}/1" for name in five_nodes()),
)
WELL = Facts(
    config=Config(),
    utc_s=UTC_S,
    mono_ns=MONO_NS,
    machine=Machine(20_000.0, 45.0, None, "ntp", publish_runs=True, acquire_runs=True),
    backlog=Backlog(0, 0, None),
    told=Told(nodes=five_nodes(), session="s-1"),
    session=(SESSION, MONO_NS - 90 * 10**9),
    fitted_utc_s=UTC_S - 60.0,
)


def told(**nodes):
    return Told(nodes={k.replace("_", "-"): v for k, v in nodes.items()}, session="s-1")


def sensor(facts, name):
    (found,) = [view for view in now_view(facts).sensors if view.name == name]
    return found


def line(facts, name):
    (found,) = [line for line in now_view(facts).machine if line.name == name]
    return found


def test_when_all_is_well_every_light_is_good():
    view = now_view(WELL)
    assert (view.light, view.headline) == ("good", "All five sensors measure.")
    assert {found.light for found in (*view.sensors, *view.machine)} == {"good"}
    assert not any(found.advice for found in (*view.sensors, *view.machine))
    assert line(WELL, "Recording").text == "for 1 min 30 s"
    assert [found.side for found in view.sensors] == ["left", "right", "left", "right", None]
    assert view.subject == "K7Q2-M9XD-0"


@pytest.mark.parametrize(
    ("changed", "light", "words"),
    [
        ({"link": "down"}, "mend", "Check its plug"),
        ({"link": "stalled"}, "mend", "unplug the sensor"),
        ({"rate_hz": 104.0}, "look", "at 104 Hz, expected 200 Hz"),
        ({"n_saturated": 50}, "look", "tighten the strap"),
        ({"clock_sd_s": 0.003}, "look", "± 5.9 ms"),
        ({"battery_v": 3.6}, "look", "charge it before"),
        ({"battery_v": 3.2}, "mend", "almost empty"),
        ({"segment": None}, "look", "give it a segment"),
        ({"rate_hz": None, "clock_sd_s": None, "battery_v": None}, "good", ""),
    ],
)
def test_what_is_wrong_with_a_sensor_says_what_to_do(changed, light, words):
    segment = changed.pop("segment", Segment.PELVIS)
    facts = replace(WELL, told=told(pelvis=node(segment, **changed)))
    found = sensor(facts, "pelvis") if segment else now_view(facts).sensors[-1]
    assert found.light == light
    assert words in " ".join(found.advice)
    assert light == "good" or now_view(facts).light == light


def test_a_sensor_that_loses_now_is_told_from_one_that_lost_long_ago():
    lost = node(Segment.PELVIS, n_samples=9_000, n_lost=1_000)
    facts = replace(WELL, told=told(pelvis=lost), before=told(pelvis=lost))
    assert sensor(facts, "pelvis").light == "good"
    assert sensor(facts, "pelvis").losses == "1 000 of 10 000"
    for more, light in ((20, "look"), (200, "mend")):
        now = node(Segment.PELVIS, n_samples=11_000 - more, n_lost=1_000 + more)
        found = sensor(replace(facts, told=told(pelvis=now)), "pelvis")
        assert found.light == light
        assert f"loses {more / 20:.0f} %" in found.advice[0]


def test_a_node_that_began_anew_is_not_taken_for_losing():
    anew = node(Segment.PELVIS, n_samples=10, n_lost=0)
    facts = replace(WELL, told=told(pelvis=anew), before=told(pelvis=node(Segment.PELVIS)))
    assert sensor(facts, "pelvis").light == "good"


def test_places_without_a_sensor_say_what_is_missing():
    view = now_view(replace(WELL, told=told(pelvis=node(Segment.PELVIS))))
    assert view.headline == "1 of 5 sensors measure."
    empty = [found for found in view.sensors if found.light == "none"]
    assert len(empty) == 4
    assert empty[0].advice == ("Without it there are no strides of the left side.",)


def test_a_fitting_of_today_lights_its_sensor():
    seat = Seat("left_foot", "red", ("left-foot and right-foot are swapped",))
    found = sensor(replace(WELL, seats=(seat,)), "left foot")
    assert (found.light, found.advice) == (
        "mend",
        ("Fitting: left-foot and right-foot are swapped.",),
    )
    stale = replace(WELL, seats=(seat,), fitted_utc_s=UTC_S - 86_400.0)
    assert sensor(stale, "left foot").light == "good"
    assert line(stale, "Fitting").text == "not checked today"


def test_acquire_that_is_gone_is_said_with_the_next_step():
    facts = replace(WELL, told=None, machine=replace(WELL.machine, acquire_runs=False))
    view = now_view(facts)
    assert view.light == "mend"
    assert "measuring does not answer" in view.headline
    assert "systemctl start evenstride-acquire" in line(facts, "Recording").advice
    assert {found.state for found in view.sensors} == {"not known"}
    busy = replace(WELL, told=None)
    assert line(busy, "Recording").light == "look"


@pytest.mark.parametrize(
    ("machine", "name", "light", "words"),
    [
        ({"publish_runs": False}, "Delivery", "look", "systemctl start evenstride-publish"),
        ({"disk_free_mb": 400.0}, "Disk", "mend", "recording prune"),
        ({"disk_free_mb": 400.0}, "Recording", "mend", "Make room"),
        ({"disk_free_mb": 900.0}, "Disk", "look", "recording prune"),
        ({"clock": "unsynced"}, "Clock", "look", "Connect the network"),
        ({"supply_is_weak": True}, "Supply", "mend", "stronger battery"),
        ({"temperature_degc": 83.0}, "Heat", "look", "air"),
    ],
)
def test_what_is_wrong_with_the_machine_says_what_to_do(machine, name, light, words):
    found = line(replace(WELL, machine=replace(WELL.machine, **machine)), name)
    assert found.light == light
    assert words in found.advice


def test_results_that_wait_long_blame_the_network_and_fresh_ones_do_not():
    for age_s, light in ((2.0, "good"), (600.0, "look")):
        backlog = Backlog(1200, 4_000_000, round((UTC_S - age_s) * 1e9))
        found = line(replace(WELL, backlog=backlog), "Delivery")
        assert found.light == light
        assert "1 200 results wait" in found.text
        assert "4.0 MB" in found.text
    assert "10 min 0 s" in found.text


def test_missing_and_stale_calibrations_are_said():
    bare = SESSION.model_copy(update={"calibrations": ("pelvis/1",)})
    found = line(replace(WELL, session=(bare, MONO_NS)), "Calibration")
    assert (found.light, found.text) == ("look", "4 of 5 sensors without one")
    stale = replace(WELL, flags=("calibration_expired:gyro:pelvis",))
    assert line(stale, "Calibration").light == "look"


def test_a_store_that_cannot_be_read_is_said():
    found = line(replace(WELL, store_error="cannot be read: disk image is malformed"), "Store")
    assert found.light == "mend"


def test_events_are_the_newest():
    events = tuple(
        (UTC_S - k, Event(kind="link", severity="warning", message=f"m{k}")) for k in range(20)
    )
    alarms = now_view(replace(WELL, events=events)).alarms
    assert [alarm.text for alarm in alarms[:2]] == ["m0", "m1"]
    assert len(alarms) == 8


def live(n, age_s=1.0, **changed):
    """Strides of both sides, the newest `age_s` ago."""
    strides = []
    for k in range(n):
        back_s = age_s + 0.55 * (n - 1 - k)
        side = Side.LEFT if k % 2 else Side.RIGHT
        stride = live_stride(side, 100.0 - back_s, **changed)
        mono_ns = MONO_NS - round(back_s * 1e9)
        strides.append(LiveStride(f"{k:03d}", UTC_S - back_s, mono_ns, stride))
    return strides


def walking(strides, **changed):
    return walking_view(replace(WELL, strides=tuple(strides), **changed))


def shown(view, label):
    figures = [*view.figures, *(f for side in view.sides for f in side.figures)]
    return [found.shown for found in figures if found.label == label]


def test_walking_gives_means_with_intervals():
    view = walking(live(20))
    assert view.state == "walking"
    assert shown(view, "Cadence") == ["109.09"]
    assert shown(view, "Speed") == ["1.182"]
    assert shown(view, "Stride length") == ["1.300", "1.300"]
    assert shown(view, "Stance share") == ["60.0", "60.0"]
    assert all(found.interval for found in view.figures)


def test_too_few_strides_give_a_reason_and_no_number():
    view = walking(live(5))
    assert shown(view, "Speed") == [None]
    assert view.figures[1].reason == "5 strides, 6 needed"


def test_turning_strides_are_left_out_of_the_means_and_on_the_charts():
    view = walking(live(20, flags=("turn",)))
    assert shown(view, "Speed") == [None]
    assert all(stride_point(stride) for stride in live(20, flags=("turn",)))


def test_somebody_who_stands_is_said_to_stand():
    view = walking(live(20, age_s=40.0), bout=(UTC_S - 38.0, bout_of()))
    assert view.state == "standing"
    assert "40 s ago" in view.text
    assert view.last_walk.text == "54 strides in 30 s, ended 38 s ago"
    assert walking([]).state == "waiting"
    gone = walking(live(20, age_s=40.0), told=None)
    assert (gone.state, "Not live" in gone.text) == ("waiting", True)


def test_a_stride_without_a_side_or_a_number_is_no_trap():
    (one,) = live(1)
    nobody = replace(one, stride=one.stride.model_copy(update={"side": None}))
    assert stride_point(nobody) is None
    bare = one.stride.model_copy(update={"stride_time_s": None, "stride_length_m": None})
    point = stride_point(replace(one, stride=bare))
    assert (point.stance_pct, point.stance_sd_pct) == (None, None)
    strides = [replace(found, stride=bare) for found in live(20)]
    assert shown(walking(strides), "Speed") == [None]


def test_every_figure_of_a_walk_has_its_uncertainty():
    speed, length, cadence = bout_figures(bout_of())
    assert (speed.shown, speed.spread) == ("1.21", "SD 0.03")
    assert length.spread == "SD 0.012"
    assert cadence.spread == "± 0.2"


def test_a_day_shows_hours_differences_and_reasons():
    walks = [walk(k + 1, 400.0 + 1000.0 * k, n_strides=40) for k in range(20)]
    closed = day_of(walks, 6.0)
    hours = [summary for period, summary in closed if period == "hour"]
    days = [summary for period, summary in closed if period == "day"]
    bouts = [(UTC_S + found.bouts[0].end_s, found.bouts[0]) for found in walks]
    spans = [SessionSpan("s-1", 0, 1)]
    view = day_view("s-1", "s-1", spans, hours, days, bouts)
    assert [row.start_utc_s - UTC_S for row in view.hours] == [3600.0 * k for k in range(6)]
    assert view.hours[0].asymmetry.unit == "ms"
    assert view.hours[0].asymmetry.shown == "+0"
    (day,) = view.days
    assert day.n_walks == 20
    assert (day.steps.shown, day.steps.spread) == ("1 600", "± 32")
    rows = {row.label: row for row in day.metrics}
    assert rows["Stance time"].left.shown == "0.600"
    assert rows["Shock at the shank"].difference.reason == "0 steady strides, 30 needed"
    assert rows["Push-off rate"].trend is not None
    assert view.n_walks == 20
    assert "no walk in it so far" in view.pending


def test_the_running_hour_is_told_by_its_walks():
    bouts = [(UTC_S + 40.0, bout_of()), (UTC_S + 140.0, bout_of(2, 110.0, 140.0))]
    view = day_view("s-1", "s-1", [SessionSpan("s-1", 0, 1)], (), (), bouts)
    assert "2 walks, 1 min 0 s of walking, 108 strides" in view.pending
    assert day_view("s-1", None, [], (), (), bouts).pending is None
    assert day_view(None, None, [], (), (), ()).session is None


def test_an_hour_without_walking_has_no_speed():
    hour = Summary(start_s=0, end_s=3600, coverage=1, walking_s=0, n_bouts=0, n_steps=0,
                   n_strides_steady=0, speed_mps=None,
                   metrics=dict(day_of([walk(1, 5.0)], 1.0))["hour"].metrics)  # fmt: skip
    assert day_view("s", None, [], [hour], (), ()).hours[0].speed.reason == "no walk"


def test_leg_length_is_said_in_words_and_never_beyond_its_interval():
    known = LegLength(difference_mm=11.6, interval_mm=(2.1, 21.1), longer_side="right")
    assert leg_length_sentence(known) == (
        "Standing, in the shoes as worn, the right leg works as the longer one, by 12 mm; "
        "95 %: 2 to 21 mm."
    )
    left = LegLength(difference_mm=-11.6, interval_mm=(-21.1, -2.1), longer_side="left")
    assert "the left leg works as the longer one, by 12 mm; 95 %: 2 to 21" in leg_length_sentence(
        left
    )
    unsure = LegLength(difference_mm=3.0, interval_mm=(-6, 12), longer_side="undetermined")
    assert "is not determined" in leg_length_sentence(unsure)
    refused = LegLength(difference_mm=None, refused="the pelvis sensor has moved")
    assert leg_length_sentence(refused) == "No number is given: the pelvis sensor has moved."


def test_comparisons_keep_verdict_interval_and_basis():
    view = outcomes_view([], [(UTC_S, None, COMPARISON.example)])
    (found,) = view.comparisons
    assert found.verdict == COMPARISON.example.verdict
    assert found.effects[0].change.shown == "-2.1"
    assert found.effects[0].change.spread == "± 1.2"
    withheld = COMPARISON.example.model_copy(update={"withheld": {"stance_time_s left": "few"}})
    assert outcomes_view([], [(UTC_S, None, withheld)]).comparisons[0].withheld == (
        ("Stance time, left", "few"),
    )


@pytest.mark.parametrize(
    ("spread", "places"),
    [(0.0, 3), (0.004, 3), (0.018, 3), (0.03, 2), (1.4, 1), (5.0, 0), (30.0, 0)],
)
def test_a_number_has_the_digits_its_uncertainty_deserves(spread, places):
    assert decimals(spread) == places


def test_an_uneven_interval_shows_both_ends():
    cut = figure("Swing asymmetry", "%", 1.0, (0.0, 3.5))
    assert cut.spread == "0.0 to 3.5"
    assert spread_figure("Speed", "m/s", 1.2, None).reason == "too few for a spread"


def test_differences_are_shown_in_thousandths_with_their_sign():
    metric = Metric(name="stance_time_s", side="right_minus_left", value=0.012, unit="s",
                    interval=(0.002, 0.022), n=40)  # fmt: skip
    found = metric_figure("d", metric)
    assert (found.shown, found.unit, found.spread) == ("+12", "ms", "± 10")
    ratio = metric.model_copy(update={"side": "left", "unit": "1"})
    assert metric_figure("d", ratio).unit == ""


def test_the_worst_light_wins():
    assert worst(["good", "look", "mend"]) == "mend"
    assert worst([]) == "good"


@pytest.mark.parametrize(
    ("seconds", "text"), [(48, "48 s"), (725, "12 min 5 s"), (11_520, "3 h 12 min")]
)
def test_durations_are_said_as_people_do(seconds, text):
    assert duration(seconds) == text


def test_a_view_is_made_in_milliseconds():
    facts = replace(WELL, strides=tuple(live(200)))
    began_s = time.perf_counter()
    for _ in range(10):
        now_view(facts)
    assert time.perf_counter() - began_s < 1.0
