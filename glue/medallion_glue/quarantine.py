"""Records of quarantined lines: NDJSON, one record a line (`docs/json.md`)."""

from __future__ import annotations

import base64

#: What RFC 8259, section 7, asks to be escaped, as the Swift engine escapes it.
_ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)} | {
    ord('"'): '\\"',
    ord("\\"): "\\\\",
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
}


def quarantine_record(
    reason: str, source_object: str, line: int, byte_offset: int, byte_length: int, raw: bytes
) -> bytes:
    """One record with its line feed. `raw` is the line, or the beginning of one too long."""
    try:
        kept = f'"raw":"{raw.decode().translate(_ESCAPES)}"'
    except UnicodeDecodeError:
        kept = f'"raw_base64":"{base64.b64encode(raw).decode()}"'
    return (
        f'{{"reason":"{reason}","source_object":"{source_object.translate(_ESCAPES)}",'
        f'"line":{line},"byte_offset":{byte_offset},"byte_length":{byte_length},{kept}}}\n'
    ).encode()
