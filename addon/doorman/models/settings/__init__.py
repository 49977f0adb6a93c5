from . import doorman_settings
from . import service_key
from . import approvals
from . import oauth
from . import read_only
from . import four_eyes
from . import doorman_policy_change
