-- A copy is for trying things out: no AI tool comes in, and nothing that opens the original opens it.
UPDATE doorman_settings
   SET enabled = false,
       database_identity = NULL,
       database_name = NULL,
       oauth_assertions = false,
       notice_webhook_url = NULL,
       public_url = NULL;
DELETE FROM doorman_replica;
-- the keys of the service and of all connections
DELETE FROM res_users_apikeys
      WHERE scope = 'doorman'
         OR id IN (SELECT api_key_id FROM doorman_service_key);
DELETE FROM doorman_service_key;
-- logins by OAuth, and links in emails
DELETE FROM doorman_oauth_token;
DELETE FROM doorman_pickup_token;
DELETE FROM doorman_invite_token;
-- notices, and what signs them
DELETE FROM doorman_notice;
DELETE FROM doorman_notice_secret;
