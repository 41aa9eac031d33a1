"""``python -m heapdiff``: the command line."""

import sys

from heapdiff.integrations.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
