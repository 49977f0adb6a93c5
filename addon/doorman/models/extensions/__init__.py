"""What Doorman adds to Odoo's own models."""

from . import base
from . import ir_actions
from . import ir_http
from . import ir_mail_server
from . import ir_module_module
from . import ir_rule
from . import ir_sequence
from . import ir_ui_menu
from . import ir_ui_view
from . import ir_ui_view_list
from . import mail_activity
from . import mail_message
from . import mail_thread
from . import res_users
from . import res_groups
from . import res_partner
from . import res_users_apikeys
from . import res_users_page
from . import service_user
