-- clickrelay.db: configuration, keys, received calls, conversions and what is told to whom.
-- Times (_us) are microseconds since 1970 in UTC; amounts (_nanos) are 10^-9 of the currency's unit.

-- AES-128 keys of the click IDs: the newest issues, all verify.
CREATE TABLE click_key (
    id INTEGER PRIMARY KEY,
    secret BLOB NOT NULL CHECK (length(secret) = 16),
    created_at_us INTEGER NOT NULL
) STRICT;

CREATE TABLE api_token (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    token_sha256 BLOB NOT NULL UNIQUE,
    created_at_us INTEGER NOT NULL,
    revoked_at_us INTEGER
) STRICT;

-- The entities' documents are the API's JSON with every default written out.
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    archived_at_us INTEGER
) STRICT;

CREATE TABLE network (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    archived_at_us INTEGER
) STRICT;

CREATE TABLE offer (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    archived_at_us INTEGER
) STRICT;

-- A campaign's number has 24 bits in every click ID.
CREATE TABLE campaign (
    id INTEGER PRIMARY KEY CHECK (id < 16777216),
    key TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    archived_at_us INTEGER
) STRICT;

-- The secret part of a network's postback URL.
CREATE TABLE postback_key (
    key TEXT PRIMARY KEY,
    network_id INTEGER NOT NULL REFERENCES network (id),
    created_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every wording that an offer's landing URL ever had: clicks point here.
CREATE TABLE offer_version (
    id INTEGER PRIMARY KEY,
    offer_id INTEGER NOT NULL REFERENCES offer (id),
    network_id INTEGER NOT NULL REFERENCES network (id),
    url TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    UNIQUE (offer_id, network_id, url)
) STRICT;

-- Each received call byte for byte. Without a network: a key that never existed.
CREATE TABLE postback (
    id INTEGER PRIMARY KEY,
    received_at_us INTEGER NOT NULL,
    network_id INTEGER REFERENCES network (id),
    click_row_id INTEGER,
    conversion_id INTEGER REFERENCES conversion (id),
    verdict TEXT NOT NULL,
    message TEXT NOT NULL,
    sender BLOB,
    method TEXT NOT NULL,
    target BLOB NOT NULL,
    headers BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX postback_click ON postback (click_row_id) WHERE click_row_id IS NOT NULL;
CREATE INDEX postback_stray ON postback (id) WHERE network_id IS NULL;

-- A conversion in its current state, with its own copy of its click.
CREATE TABLE conversion (
    id INTEGER PRIMARY KEY,
    click_row_id INTEGER NOT NULL,
    event TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    is_test INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    network_id INTEGER NOT NULL,
    offer_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    network_status TEXT,
    payout_nanos INTEGER NOT NULL,
    currency TEXT NOT NULL,
    revision INTEGER NOT NULL,
    converted_at_us INTEGER NOT NULL,
    extras TEXT,
    external_id BLOB,
    cost_nanos INTEGER,
    cost_currency TEXT,
    parameters BLOB NOT NULL,
    ip BLOB,
    user_agent BLOB NOT NULL,
    referrer BLOB NOT NULL,
    path INTEGER NOT NULL,
    offer_version INTEGER NOT NULL,
    -- The identity: a repeated report meets it and changes nothing.
    UNIQUE (click_row_id, event, transaction_id, is_test, ordinal)
) STRICT;
CREATE INDEX conversion_transaction ON conversion (transaction_id) WHERE transaction_id <> '';
CREATE INDEX conversion_external ON conversion (external_id) WHERE external_id IS NOT NULL;

CREATE TABLE conversion_revision (
    conversion_id INTEGER NOT NULL REFERENCES conversion (id),
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    network_status TEXT,
    payout_nanos INTEGER NOT NULL,
    currency TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    -- The call that made it. No foreign key: each stray call that is forgotten would have it looked
    -- for in every revision there is.
    postback_id INTEGER NOT NULL,
    PRIMARY KEY (conversion_id, number)
) STRICT, WITHOUT ROWID;

-- One outbound postback, stored as it will be sent.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    conversion_id INTEGER NOT NULL REFERENCES conversion (id),
    revision INTEGER NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'cancelled')),
    reason TEXT,
    due_at_us INTEGER NOT NULL,
    converted_at_us INTEGER NOT NULL,
    attempt_count INTEGER NOT NULL DEFAULT 0,
    origin TEXT NOT NULL,
    method TEXT NOT NULL,
    url TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB,
    success_min INTEGER NOT NULL,
    success_max INTEGER NOT NULL,
    success_text TEXT,
    allow_private INTEGER NOT NULL,
    -- The traffic source is told once of each revision.
    UNIQUE (conversion_id, revision, destination)
) STRICT;
CREATE INDEX delivery_due ON delivery (origin, due_at_us) WHERE state = 'waiting';
CREATE INDEX delivery_dead ON delivery (id) WHERE state = 'dead';

CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL REFERENCES delivery (id),
    number INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    status INTEGER,
    milliseconds INTEGER NOT NULL,
    error TEXT,
    excerpt BLOB NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
