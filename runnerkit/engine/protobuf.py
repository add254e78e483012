"""The little of protobuf's wire format that BuildKit's messages here need."""

from collections.abc import Iterator, Mapping

VARINT = 64  # bits of the longest


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: varints and length-delimited ones."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _varint(data, at)
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
        else:
            yield key >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < VARINT:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError("a number that has no end")


def field(number: int, body: bytes) -> bytes:
    """A length-delimited field."""
    size, length = len(body), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + body


def text(of: Mapping[int, int | bytes], number: int) -> str:
    """A field that is a string; "" where it is none."""
    return data(of, number).decode(errors="replace")


def data(of: Mapping[int, int | bytes], number: int) -> bytes:
    """A field that is bytes; none where it is something else."""
    body = of.get(number, b"")
    return body if isinstance(body, bytes) else b""


def integer(of: Mapping[int, int | bytes], number: int) -> int:
    """A field that is a number; 0 where it is none."""
    value = of.get(number, 0)
    return value if isinstance(value, int) else 0
