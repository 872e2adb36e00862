"""The API as an agent has it: tools of the Model Context Protocol."""

from __future__ import annotations

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from jsonschema import Draft202012Validator

from tests.conftest import running_app

mcp = pytest.importorskip("mcp")


def test_an_agent_protects_a_picture_and_learns_the_settings(photo: Path, tmp_path: Path) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def use(url: str) -> tuple[dict[str, Any], Any, Any, Any]:
        async with (
            streamable_http_client(f"{url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            settings = await session.call_tool("settings_of", {"source": "quick"})
            data = base64.b64encode(photo.read_bytes()).decode()  # an address of this machine is refused
            asked = {"image": f"data:image/png;base64,{data}", "settings": {"protect": {"steps": 2, "budget": 8}}}
            protected = await session.call_tool("protect", asked)
            refused = await session.call_tool("protect", {**asked, "settings": {"protect": {"budget": 500}}})
            return tools, settings, protected, refused

    with running_app(tmp_path, command=("-m", "impress_ui", "serve", "--mcp")) as url:
        with ThreadPoolExecutor(1) as apart:  # where browser tests ran before, this thread has a loop already
            tools, settings, protected, refused = apart.submit(asyncio.run, use(url)).result(timeout=240)
        endpoints = Client(url, verbose=False).view_api(print_info=False, return_format="dict")["named_endpoints"]
    assert len(tools) == len(endpoints)
    for tool in tools.values():
        Draft202012Validator.check_schema(tool.inputSchema)
        assert tool.description and all(each["description"] for each in tool.inputSchema["properties"].values())
    assert not settings.isError and "'steps': 20" in settings.content[0].text
    assert not protected.isError, protected.content
    report = json.dumps([part.model_dump() for part in protected.content])
    assert "seed" in report and "linf" in report
    assert refused.isError and "budget" in refused.content[0].text.lower()
