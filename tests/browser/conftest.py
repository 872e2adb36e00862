"""Headless Chromium on the running page; skipped, with the reason, where there is none."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HAS_PLAYWRIGHT = importlib.util.find_spec("pytest_playwright") is not None
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = (
        "pytest-playwright is not installed" if not HAS_PLAYWRIGHT else None if CHROMIUM else "there is no chromium"
    )
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


if HAS_PLAYWRIGHT:
    from playwright.sync_api import Page, expect

    expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong

    @pytest.fixture(scope="session")
    def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
        return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": FLAGS}

    @pytest.fixture(scope="session")
    def browser_context_args(browser_context_args: dict) -> dict:
        """Who asks for less motion gets the same page, and it is not painted anew at every frame of a run."""
        return {**browser_context_args, "reduced_motion": "reduce"}

    @pytest.fixture
    def opened(page: Page, app_url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
        """The page, opened with the query that is the parameter, if any.

        Afterwards no script may have complained and no request have left for another host.
        """
        failures, strangers = [], []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: strangers.append(request.url) if not _local(request.url, app_url) else None)
        page.set_default_timeout(30_000)
        page.goto(app_url + getattr(request, "param", ""))
        page.wait_for_selector("#run-both")
        yield page
        assert failures == []
        assert strangers == []


@pytest.fixture(scope="session")
def photo(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' photograph in 64x48 pixels: what the page does with it is looked at here, not how well."""
    path = tmp_path_factory.mktemp("pictures") / "mountain.png"
    with Image.open(photo) as image:
        image.resize((64, 48), Image.Resampling.LANCZOS).save(path)
    return path


def _local(url: str, app_url: str) -> bool:
    return url.startswith((app_url, "data:", "blob:"))
