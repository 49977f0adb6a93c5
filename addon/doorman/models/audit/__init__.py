from . import loose_many2one
from . import doorman_audit
from . import sums
from . import chain
from . import seen
from . import erase
from . import doorman_use
