from __future__ import annotations

import threading
import time

from impress_ui.jobs import Jobs, throttled


def test_stop_reaches_the_sessions_own_jobs_only() -> None:
    jobs = Jobs()
    with jobs.open("a") as stop_a, jobs.open("b") as stop_b:
        assert jobs.stop("a")
        assert stop_a() and not stop_b()
    assert not jobs.stop("a")


def test_the_device_is_one_jobs_at_a_time() -> None:
    jobs, inside, most = Jobs(), [], []

    def work() -> None:
        with jobs.device(lambda: False) as waiting:
            for _ in waiting:
                pass
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_the_line_is_served_in_order_and_each_knows_its_place() -> None:
    jobs, stopped = Jobs(), [False]
    with jobs.device(lambda: False) as first, jobs.device(lambda: stopped[0]) as second:
        assert list(first) == []
        with jobs.device(lambda: False) as third:
            assert next(second).ahead == 1 and next(third).ahead == 2
            stopped[0] = True
            assert list(second) == []  # stopped: out of the loop without its turn
            assert next(third).ahead == 2 and next(third).seconds > 0
    with jobs.device(lambda: False) as free:
        assert list(free) == []


def test_who_leaves_makes_room() -> None:
    jobs = Jobs()
    with jobs.device(lambda: False) as first:
        list(first)
        last = jobs.device(lambda: False)
        waiting = last.__enter__()
        assert next(waiting).ahead == 1
    assert list(waiting) == []
    last.__exit__(None, None, None)


def test_throttling_shows_the_first_the_marked_and_few_between() -> None:
    shown = [item for item, show in throttled(iter(range(1000)), 60.0, always=lambda item: item == 999) if show]
    assert shown == [0, 999]
    assert all(show for _, show in throttled(iter(range(5)), 0.0, always=lambda _: False))
