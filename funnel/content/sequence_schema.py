"""The JSON Schema of a sequence file, by which an editor checks it while somebody types."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from funnel.content.sequence_lines import SequenceLines


def schema_file(root: Path) -> Path:
    """Where the schema stands under a templates folder."""
    return root / "sequences" / "sequence.schema.json"


def schema_text() -> str:
    """The whole schema file, made from the very models that read a sequence."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(SequenceLines).json_schema(by_alias=True, mode="validation"),
        "title": "A sequence of mails",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
