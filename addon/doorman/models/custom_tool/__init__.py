from . import doorman_own_tool
from . import doorman_own_tool_parameter
from . import ir_actions_server
