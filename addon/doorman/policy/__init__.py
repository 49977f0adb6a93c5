"""What a connection may do, decided without knowing who asks for it: no other room of
the addon is imported here."""
