"""What a picture's file declares of its use: IPTC's and PLUS's property for data mining, as XMP.

A declaration, not a protection: it binds who heeds it, and is gone with the file's metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

XMP_KEY = "XML:com.adobe.xmp"  # of a PNG's text chunk, as the XMP specification (part 3) has it
# By what ``run.declare`` says: the vocabulary of the property plus:DataMining (IPTC Photo Metadata Standard 2023.1).
DATA_MINING = {"no-ai-training": "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"}


def declaration_of(metadata: Mapping[str, Any] | None) -> str | None:
    """The XMP packet for the file of a protected picture whose settings want a declaration; None for all others."""
    if metadata is None or metadata.get("kind") != "protected":
        return None
    declared = DATA_MINING.get(metadata.get("settings", {}).get("run", {}).get("declare", ""))
    return None if declared is None else packet(declared)


def packet(data_mining: str) -> str:
    """An XMP packet with that value of plus:DataMining."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">'
        f"<plus:DataMining>{data_mining}</plus:DataMining>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )
