"""XML as events, with nothing that a document could make a reader fetch, open or expand.

A document type, an entity of its own, and elements nested without end are refused: records of
patients need none of them.
"""

from collections.abc import Callable
from typing import BinaryIO
from xml.parsers import expat

from flows.errors import NightRefused

_CHUNK = 1 << 18
_DEEPEST = 100
_LONGEST = 1 << 24

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def parse(stream: BinaryIO, name: str, start: Start, end: End, text: Text | None = None) -> None:
    """Read a document, calling back at each element; a name is `uri}local` or `local`.

    Raises NightRefused where it is no XML, or more than XML of records.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    depth = 0
    before = 0

    def opened(element: str, attributes: dict[str, str]) -> None:
        nonlocal depth, before
        depth += 1
        before = parser.CurrentByteIndex
        if depth > _DEEPEST:
            raise NightRefused(f"{name}: elements nested more than {_DEEPEST} deep")
        start(element, attributes)

    def closed(element: str) -> None:
        nonlocal depth, before
        depth -= 1
        before = parser.CurrentByteIndex
        end(element)

    def refused(*_: object) -> int:
        raise NightRefused(
            f"{name}: has a document type or entities (a DTD), which are not read; write the "
            f"file without"
        )

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refused
    parser.EntityDeclHandler = refused
    parser.ExternalEntityRefHandler = refused
    parser.SkippedEntityHandler = refused
    read = 0
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
            read += len(chunk)
            if read - before > _LONGEST:
                raise NightRefused(f"{name}: a text or tag of more than {_LONGEST} bytes")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        # Its words name what is wrong, and hold no text of the document.
        said = expat.ErrorString(error.code)
        raise NightRefused(
            f"{name}: not whole XML: line {error.lineno}: {said}; export it again"
        ) from None
    except (LookupError, UnicodeError):
        raise NightRefused(f"{name}: in an encoding that is not read; write it as UTF-8") from None


def local(element: str) -> str:
    """Return the name of an element without its namespace."""
    return element.rpartition("}")[2]
