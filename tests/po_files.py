"""Reads files of translations (GNU gettext, "PO Files" and "MO Files") as far as tests ask."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GERMAN = ROOT / "chat" / "locale" / "de" / "LC_MESSAGES" / "django.po"

_TEXT = re.compile(r'(?:(msg[a-z_]+(?:\[\d\])?) )?(".*")$')


@dataclass(frozen=True)
class Entry:
    """A message with its translation; several of both where it has a plural."""

    originals: tuple[str, ...]
    translations: tuple[str, ...]
    places: str
    is_fuzzy: bool

    @property
    def message(self) -> str:
        return self.originals[0]


def read_po(path: Path) -> list[Entry]:
    """Return the messages of a .po file, but for its head and what it marks as obsolete."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return [entry for block in blocks if (entry := _entry(block)).originals and entry.message]


def read_mo(path: Path) -> dict[str, str]:
    """Return translations by message, plurals parted by NUL; not the head."""
    data = path.read_bytes()
    count, originals, translations = struct.unpack("<3I", data[8:20])
    both = ((originals + 8 * row, translations + 8 * row) for row in range(count))
    found = {_string(data, one): _string(data, other) for one, other in both}
    return {message: text for message, text in found.items() if message}


def _entry(block: str) -> Entry:
    texts: dict[str, str] = {}
    field = ""
    for line in block.splitlines():
        if found := _TEXT.match(line):
            field = found[1] or field
            texts[field] = texts.get(field, "") + json.loads(found[2])
    return Entry(
        originals=tuple(text for field, text in texts.items() if field.startswith("msgid")),
        translations=tuple(text for field, text in texts.items() if field.startswith("msgstr")),
        places=" ".join(line[2:] for line in block.splitlines() if line.startswith("#:")),
        is_fuzzy=any(line.startswith("#,") and "fuzzy" in line for line in block.splitlines()),
    )


def _string(data: bytes, place: int) -> str:
    length, start = struct.unpack("<2I", data[place : place + 8])
    return data[start : start + length].decode()
