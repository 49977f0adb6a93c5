"""Dialogs: each asks for something, does it by a method of the models, and is gone."""

from . import base_module_uninstall
from . import doorman_dialog_mixin
from . import doorman_many_mixin
from . import doorman_connect_wizard
from . import connect_guide
from . import connect_oauth_client
from . import doorman_rotate_key
from . import doorman_reject
from . import doorman_approve_many
from . import doorman_revoke_many
from . import doorman_explain
from . import doorman_record_history
from . import doorman_rotate_service_key
from . import doorman_undo_dialog
from . import doorman_review_copy
from . import doorman_review_copy_line
from . import doorman_invite_wizard
from . import doorman_invite_wizard_model_rule
from . import doorman_invite_wizard_rule
from . import doorman_issuer_client
