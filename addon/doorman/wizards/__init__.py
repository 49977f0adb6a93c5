from . import doorman_dialog_mixin
from . import doorman_connect_wizard
from . import connect_oauth_client
from . import doorman_rotate_key
from . import doorman_reject
from . import doorman_invite_wizard
from . import doorman_invite_wizard_model_rule
from . import doorman_invite_wizard_rule
