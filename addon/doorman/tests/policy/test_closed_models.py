import re

from odoo.tests import BaseCase, tagged

from ...policy import closed_fields, closed_models
from ...policy.context_keys import CONTEXT_KEYS

# Locks, keys, and places where keys are left lying about.
FLOOR = """
doorman.connection doorman.settings doorman.audit doorman.anything.to.come
res.users.apikeys res.users.apikeys.description res.users.apikeys.show
res.users.identitycheck res.users.log res.users.deletion
auth_totp.device auth_totp.wizard auth.totp.rate.limit.log auth.passkey.key
change.password.user change.password.own ir.rule ir.model.access
ir.config_parameter res.config.settings ir.logging ir.profile ir.mail_server
fetchmail.server mail.mail mail.tracking.value mail.push mail.push.device
mail.ice.server bus.bus bus.presence res.device res.device.log base.module.upgrade
base.partner.merge.automatic.wizard base_import.import payment.token
payment.provider auth.oauth.provider res.company.ldap iap.account
sms.account.code certificate.key certificate.certificate account_edi_proxy_client.user
""".split()

# Names that begin or end like one of those, and are ordinary.
OPEN = """
res.partner res.users res.groups sale.order ir.model mail.message ir.attachment
auth_totp auth.passkeys doormanager.shift ir.rules change.passwords
base.modules mail.template calendar.event
""".split()

# Fields of Odoo's own modules (community, 19.0) that are a credential or open a
# door to who knows their value.
WITHHELD = """
password new_password confirm_password self_password ldap_password smtp_pass
access_token signup_token oauth_access_token google_gmail_refresh_token
google_calendar_rtoken microsoft_calendar_rtoken account_token invite_token
api_key apikey api_keys api_key_ids stripe_secret_key adyen_api_key adyen_hmac_key
paymob_hmac_key authorize_transaction_key authorize_signature_key
worldline_webhook_key qfpay_pos_key qfpay_notification_key
viva_com_webhook_verification_key l10n_hu_edi_signature_key
l10n_hu_edi_replacement_key l10n_tw_edi_ecpay_hashkey l10n_pl_edi_session_key
l10n_gr_edi_aade_key sfu_server_key unsplash_access_key plausible_shared_key
cloud_storage_google_service_account_key geoloc_provider_googlemap_key
website_slide_google_app_key attendance_kiosk_key pem_key private_key
private_key_id totp_secret client_secret webhook_url webhook_uuid
verification_code session_identifier invitation_url channel_invite_url
invitation_link aps_access_code credential pin cvc otp raw db_datas
x_studio_API_KEY X_Token x_userpassword x_authtoken x_bearertoken
""".split()

READABLE = """
name login email display_name code default_code zip phone mobile vat barcode
key_date monkey turkey keyboard shipping_code description pinned
spin opinion author_id authority state_id tokenize compass passport_id
hotpink stock_quant key_account public_holiday secretary_id
""".split()


@tagged("post_install", "-at_install")
class TestRules(BaseCase):
    def test_floor(self):
        for model in FLOOR:
            with self.subTest(model=model):
                self.assertTrue(closed_models.on_floor(model))

    def test_not_on_the_floor(self):
        for model in OPEN:
            with self.subTest(model=model):
                self.assertFalse(closed_models.on_floor(model))

    def test_withheld(self):
        for field in WITHHELD:
            with self.subTest(field=field):
                self.assertTrue(closed_fields.is_withheld(field))

    def test_readable(self):
        for field in READABLE:
            with self.subTest(field=field):
                self.assertFalse(closed_fields.is_withheld(field))

    def test_no_context_key_that_changes_what_code_does(self):
        for key in CONTEXT_KEYS:
            self.assertFalse(re.match(r"default_|search_default_|mail_|tracking", key))
        self.assertNotIn("bin_size", CONTEXT_KEYS)
        self.assertNotIn("doorman_inside", CONTEXT_KEYS)
