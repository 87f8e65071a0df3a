"""`python -m impossible.cli`."""

import sys

from impossible.cli import main

sys.exit(main())
