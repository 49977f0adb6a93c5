from . import models
from . import gateway
from . import demo
from . import wizards
from . import controllers
from .patches import post_load


def uninstall_hook(env):
    """Drop what the ORM does not know, and so would leave behind."""
    env.cr.execute(
        """
        DROP TABLE IF EXISTS doorman_connection_proof, doorman_service_key,
            doorman_pickup_token, doorman_invite_token, doorman_invite_gate,
            doorman_invite_guess, doorman_invite_code, doorman_oauth_secret,
            doorman_oauth_token, doorman_oauth_family, doorman_oauth_request,
            doorman_oauth_consent, doorman_file, doorman_undo;
        DROP FUNCTION IF EXISTS doorman_fence(varchar)
        """
    )
