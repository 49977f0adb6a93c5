"""What the service may call, and tables that the ORM does not know. Each call passes
fence, policy and gate, and leaves its audit row, in one transaction."""

from . import doorman_idempotency
from . import doorman_day
from . import doorman_wizard
from . import doorman_undo
from . import doorman_gateway
from . import fence
from . import audit
from . import row_limits
from . import environment
from . import errors
from . import files
from . import interface
from . import change
from . import undo
from . import run_job
from . import approvals
from . import explain
from . import jobs
from . import jobs_audit
from . import jobs_clients
from . import jobs_invites
from . import jobs_notices
from . import oauth
from . import jobs_oauth
