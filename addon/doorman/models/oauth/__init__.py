"""Browser logins: clients, trusted issuers, requests, consent and tokens."""

from . import doorman_oauth_client
from . import client_removal
from . import doorman_oauth_issuer
from . import doorman_oauth_token
from . import exchange
from . import doorman_oauth_request
from . import consent
from . import assertion
