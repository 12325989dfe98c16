"""Links that hold a text: behind `#t=` it stands compressed, in letters that a link may have."""

from __future__ import annotations

import base64
import binascii
import zlib

from cnnspec.errors import UsageError
from cnnspec.limits import LIMITS

MARK = "#t="


def text_of_link(link: str) -> str:
    """The text of a link. Raises UsageError for one that is damaged, or whose text is larger than a file may be."""
    packed = link.partition(MARK)[2]
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        unpacked = zlib.decompressobj(wbits=-15)
        text = unpacked.decompress(data, LIMITS.file_bytes)
        if not unpacked.eof or not packed:
            raise UsageError("the link is damaged or its text too large: copy it once more, from #t= to its end")
        return text.decode("utf-8")
    except (binascii.Error, zlib.error, ValueError):
        raise UsageError("the link is damaged: copy it once more, from #t= to its end") from None
