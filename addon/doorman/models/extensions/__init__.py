from . import base
from . import ir_mail_server
from . import mail_activity
from . import mail_message
from . import res_users
from . import res_users_page
