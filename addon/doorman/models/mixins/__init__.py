from . import doorman_protected_mixin
from . import doorman_thread_mixin
from . import doorman_policy_mixin
