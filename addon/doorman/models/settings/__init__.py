from . import doorman_settings
from . import service_key
from . import approvals
from . import oauth
