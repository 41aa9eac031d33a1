"""Documents of minidom, whose nodes refer to their parents, with the collector switched off."""

import gc
from xml.dom.minidom import parseString

gc.disable()


def leak(number: int) -> None:
    parseString("<order><item>tea</item><item>cake</item></order>")


def mended(number: int) -> None:
    parseString("<order><item>tea</item><item>cake</item></order>").unlink()
