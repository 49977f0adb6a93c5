"""The audit: its rows, their sums, the chain that proves them, and what reads them."""

from . import loose_many2one
from . import doorman_audit
from . import sentences
from . import sums
from . import chain
from . import seen
from . import erase
from . import doorman_use
from . import usage
from . import doorman_overview
