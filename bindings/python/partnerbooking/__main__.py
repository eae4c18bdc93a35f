"""`python -m partnerbooking`: tries a key and a bot from the command line."""

import sys

from ._cli import main

sys.exit(main())
