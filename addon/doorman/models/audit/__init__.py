from . import loose_many2one
from . import doorman_audit
from . import sentences
from . import sums
from . import doorman_use
from . import usage
from . import doorman_overview
