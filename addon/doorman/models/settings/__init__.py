"""Server Settings, the service's key, replicas, changes that need a second person."""

from . import doorman_replica
from . import doorman_settings
from . import service_key
from . import approvals
from . import oauth
from . import database_copy
from . import read_only
from . import other_mcp
from . import key_age
from . import undo
from . import four_eyes
from . import audit
from . import doorman_policy_change
from . import rest_api
