from . import doorman_scope
from . import doorman_tool
