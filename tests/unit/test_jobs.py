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
        while not jobs.acquire_device(0.05):
            pass
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        jobs.release_device()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_throttling_shows_the_first_the_marked_and_few_between() -> None:
    shown = [item for item, show in throttled(iter(range(1000)), 60.0, always=lambda item: item == 999) if show]
    assert shown == [0, 999]
    assert all(show for _, show in throttled(iter(range(5)), 0.0, always=lambda _: False))
