"""Tools that administrators make of server actions."""

from . import doorman_own_tool
from . import doorman_own_tool_parameter
from . import ir_actions_server
