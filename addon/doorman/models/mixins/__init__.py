"""What several models share, above all the policy."""

from . import doorman_protected_mixin
from . import doorman_shown_mixin
from . import doorman_thread_mixin
from . import doorman_undo_mixin
from . import doorman_policy_line_mixin
from . import doorman_approval_rule_mixin
from . import doorman_model_rule_mixin
from . import doorman_policy_mixin
from . import doorman_widening_mixin
from . import doorman_policy_sentence
from . import doorman_api_mixin
