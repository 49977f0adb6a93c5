"""Connections of AI tools: policy, keys, pick-up links, status and use."""

from . import doorman_connection
from . import glance
from . import same_name
from . import keys
from . import doorman_key_report
from . import doorman_key_show
from . import doorman_model_rule
from . import model_rule_policy
from . import approval_policy
from . import acting
from . import outside_text
from . import explain
from . import doorman_pickup
from . import pickup_links
from . import from_oauth
from . import rest_api
from . import rest_usage
from . import first_call
