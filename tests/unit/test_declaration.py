"""The declaration that a protected picture's file carries, read back by Pillow and an XML parser."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image

from impress_ui.jobs.workflow import describe_result
from impress_ui.pictures.images import read_metadata, save_png
from impress_ui.settings import JobSettings

PICTURE = Image.new("RGB", (32, 32), "teal")


def declared_in(path: Path) -> str | None:
    """The value of plus:DataMining as a reader of XMP finds it."""
    with Image.open(path) as image:
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if packet is None:
        return None
    text = packet.decode() if isinstance(packet, bytes) else packet
    found = ElementTree.fromstring(text.split("?>", 1)[1].rsplit("<?xpacket", 1)[0])
    about = found.find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return about.findtext("{http://ns.useplus.org/ldf/xmp/1.0/}DataMining")


@pytest.mark.parametrize("kind", ["protected", "purified", "edit"])
@pytest.mark.parametrize("declare", ["undeclared", "no-ai-training"])
def test_a_protected_picture_declares_what_the_run_wants(kind: str, declare: str, tmp_path: Path) -> None:
    job = JobSettings().updated(run={"declare": declare})
    described = describe_result(kind, job)
    path = save_png(PICTURE, tmp_path / "out.png", described)
    wanted = kind == "protected" and declare == "no-ai-training"
    expected = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING" if wanted else None
    assert declared_in(path) == expected
    assert read_metadata(path) == described  # the settings are read as ever
    assert declared_in(save_png(PICTURE, tmp_path / "plain.png")) is None
