from __future__ import annotations

import pytest
from gradio_client import Client

from impress_ui.ui.environment import without_stubs

with without_stubs():
    import gradio  # noqa: F401  (before any module of tests)


@pytest.fixture(scope="session")
def client(app_url: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """One visitor for all tests: each new one reads half a second about the endpoints."""
    return Client(app_url, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
