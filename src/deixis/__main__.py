"""`python -m deixis` is the command `deixis`."""

import sys

from deixis.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
