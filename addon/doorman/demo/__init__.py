from . import connections
from . import approvals
from . import invites
