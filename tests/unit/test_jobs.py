from __future__ import annotations

import threading
import time

import pytest

from impress_ui.errors import UserError
from impress_ui.ui.queue import Job, Jobs, Line, throttled


def test_stop_reaches_the_sessions_own_jobs_only() -> None:
    jobs = Jobs()
    with jobs.open("a") as stop_a, jobs.open("b") as stop_b:
        assert jobs.stop("a")
        assert stop_a() and not stop_b()
    assert not jobs.stop("a")


def test_a_session_has_so_many_jobs_and_no_more() -> None:
    jobs = Jobs(per_session=2)
    with jobs.open("a"), jobs.open("a"):
        with pytest.raises(UserError, match="2 jobs here already"), jobs.open("a"):
            pass
        with jobs.open("b"):
            pass
    with jobs.open("a"):
        pass


def test_what_gives_way_counts_no_more_and_is_waited_for() -> None:
    jobs = Jobs(per_session=2)
    said: list[str] = []

    def live(name: str) -> None:
        with jobs.open("a", live=True) as own:
            others = jobs.supersede("a", besides=own, live=True)
            said.append(f"{name} begins" if others is not None and not own.superseded else f"{name} passed over")
            while not own():
                time.sleep(0.005)
            said.append(f"{name} ends")

    threads = [threading.Thread(target=live, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
        time.sleep(0.03)
    with jobs.open("a") as own:  # another button: the last of them ends before that goes on
        assert [job.live for job in jobs.supersede("a", besides=own)] == [True]
        assert said[-1] == "f ends" and not own.superseded
        assert not jobs.free("a") and jobs.supersede("a") is None and own.crowded and not own.superseded
    for thread in threads:
        thread.join()
    assert said == [word for name in "abcdef" for word in (f"{name} begins", f"{name} ends")]
    assert jobs.free("a") and jobs.supersede("a") == []


def test_the_device_is_one_jobs_at_a_time_and_goes_by_arrival() -> None:
    line, inside, most, order = Line(), [], [], []
    places = [line.join() for _ in range(8)]
    assert [line.ahead(place) for place in places] == [0, 1, 2, 3, 4, 5, 6, 7]

    def work(number: int) -> None:
        while not line.take(places[number], 0.05):
            pass
        inside.append(1)
        most.append(len(inside))
        order.append(number)
        time.sleep(0.01)
        inside.pop()
        line.leave(places[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in reversed(range(8))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8 and order == list(range(8))


def test_a_full_line_refuses_with_a_sentence() -> None:
    line = Line(waiting=2)
    holder = line.join()
    assert line.take(holder, 0)
    first, _ = line.join(), line.join()
    with pytest.raises(UserError, match="2 jobs are waiting already, and no more are taken"):
        line.join()
    line.leave(first)
    line.join()


def test_who_leaves_lets_the_next_one_move_up() -> None:
    line = Line()
    holder, first, second = line.join(), line.join(), line.join()
    assert line.take(holder, 0) and not line.take(second, 0)
    line.leave(first)
    assert line.ahead(second) == 1
    line.leave(holder)
    assert line.take(second, 0)


def test_a_job_that_asks_no_more_holds_up_nobody_and_may_come_back() -> None:
    line = Line(waiting=2, silent=0.05, gone=0.2)
    vanished, patient = line.join(), line.join()
    assert not line.take(patient, 0)  # the other one may only be slow
    time.sleep(0.06)
    assert line.take(patient, 0)
    time.sleep(0.2)
    newcomers = [line.join(), line.join()]  # its place was given away
    line.leave(patient)
    line.take(newcomers[0], 0)
    line.leave(newcomers[0])
    time.sleep(0.06)
    assert line.take(vanished, 0)


def test_the_line_is_served_in_order_and_each_knows_its_place() -> None:
    line = Line()
    jobs = [Job(line) for _ in range(3)]
    with jobs[0].device() as first, jobs[1].device() as second:
        assert list(first) == []
        with jobs[2].device() as third:
            assert next(second).ahead == 1 and next(third).ahead == 2
            jobs[1].stop()
            assert list(second) == []  # stopped: out of the loop without its turn
            assert next(third).ahead == 2 and next(third).seconds > 0
    with Job(line).device() as free:
        assert list(free) == []


def test_who_leaves_makes_room() -> None:
    line = Line()
    with Job(line).device() as first:
        list(first)
        last = Job(line).device()
        waiting = last.__enter__()
        assert next(waiting).ahead == 1
    assert list(waiting) == []
    last.__exit__(None, None, None)


def test_a_long_job_is_cut_only_while_somebody_waits() -> None:
    jobs = Jobs(longest=lambda: 0.05)
    with jobs.open("long") as long, long.device() as turn:
        list(turn)
        time.sleep(0.06)
        assert not long() and not long.cut  # it has the device to itself
        with jobs.open("other") as other, other.device() as waiting:
            assert next(waiting).ahead == 1
            assert not other()  # who waits is not cut, however long
            assert long() and "others wait" in long.cut
        assert long()  # and it stays so
    with Jobs().open("at home") as own, own.device() as turn:
        list(turn)
        with Job(own._line).device() as waiting:
            next(waiting)
            assert not own()


def test_throttling_shows_the_first_the_marked_and_few_between() -> None:
    shown = [item for item, show in throttled(iter(range(1000)), 60.0, always=lambda item: item == 999) if show]
    assert shown == [0, 999]
    assert all(show for _, show in throttled(iter(range(5)), 0.0, always=lambda _: False))
