-- What proves a delivery's calls to be ours, which is added to each attempt and kept nowhere:
-- 'webhook', a signature; 'oauth', an access token. NULL: nothing.
ALTER TABLE delivery ADD COLUMN auth TEXT;
