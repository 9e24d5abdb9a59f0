"""The `gruscope` command as `python -m gruscope`."""

import sys

from .cli import main

sys.exit(main())
