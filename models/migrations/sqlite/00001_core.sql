-- The discussion: accounts and sessions, articles and their revisions, threads
-- of comments, votes, reports, decisions, and the log of events.
--
-- Times are microseconds since 1970 UTC in integers, 0 meaning unknown or
-- never: they sort as numbers, keep their precision in every engine, and an
-- imported comment without a date does not get an invented one.
-- Absent references are NULL; absent texts are ''.

-- +goose Up
CREATE TABLE settings (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
  id                INTEGER PRIMARY KEY,
  username          TEXT NOT NULL DEFAULT '', -- '' for an imported name nobody has claimed
  username_key      TEXT NOT NULL DEFAULT '', -- folded for comparison
  email             TEXT NOT NULL DEFAULT '',
  email_key         TEXT NOT NULL DEFAULT '',
  display_name      TEXT NOT NULL,
  bio               TEXT NOT NULL DEFAULT '',
  password_hash     TEXT NOT NULL DEFAULT '',
  role              TEXT NOT NULL CHECK (role IN ('reader', 'author', 'moderator', 'admin')),
  version           INTEGER NOT NULL DEFAULT 1, -- raised by whatever must void access tokens
  suspended_until   INTEGER NOT NULL DEFAULT 0, -- 0: not suspended
  suspension_reason TEXT NOT NULL DEFAULT '',
  approved_count    INTEGER NOT NULL DEFAULT 0, -- comments approved now
  rejected_count    INTEGER NOT NULL DEFAULT 0, -- comments rejected or spam now
  created_at        INTEGER NOT NULL
);
CREATE UNIQUE INDEX users_by_username ON users (username_key) WHERE username_key <> '';
CREATE UNIQUE INDEX users_by_email ON users (email_key) WHERE email_key <> '';
CREATE INDEX users_by_role ON users (role, id);

CREATE TABLE sessions (
  id         TEXT PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES users (id),
  kind       TEXT NOT NULL CHECK (kind IN ('page', 'api')),
  user_agent TEXT NOT NULL DEFAULT '',
  network    TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL DEFAULT 0,
  end_reason TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Every token a session ever had, so that a stolen one that comes back late is
-- recognised: a used token that is presented again ends its session.
CREATE TABLE session_tokens (
  hash       BLOB PRIMARY KEY, -- SHA-256; the token itself is stored nowhere
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX session_tokens_by_session ON session_tokens (session_id);

CREATE TABLE login_attempts (
  key           TEXT PRIMARY KEY, -- account and network, or network alone; hashed
  failures      INTEGER NOT NULL,
  first_at      INTEGER NOT NULL,
  blocked_until INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX login_attempts_by_age ON login_attempts (first_at);

CREATE TABLE threads (
  id                INTEGER PRIMARY KEY,
  policy            TEXT NOT NULL CHECK (policy IN ('open', 'premoderated', 'first_comment', 'closed')),
  closes_after_days INTEGER NOT NULL DEFAULT 0, -- 0: never by itself
  version           INTEGER NOT NULL DEFAULT 1, -- raised by every change anybody may see
  comment_count     INTEGER NOT NULL DEFAULT 0  -- approved comments
);

CREATE TABLE articles (
  id           INTEGER PRIMARY KEY,
  thread_id    INTEGER NOT NULL UNIQUE REFERENCES threads (id),
  slug         TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('draft', 'published', 'scheduled', 'archived', 'deleted')),
  author_id    INTEGER NOT NULL REFERENCES users (id),
  revision     INTEGER NOT NULL,
  title        TEXT NOT NULL,
  standfirst   TEXT NOT NULL DEFAULT '',
  body         TEXT NOT NULL,
  html         TEXT NOT NULL,
  headings     TEXT NOT NULL DEFAULT '[]', -- JSON
  words        INTEGER NOT NULL DEFAULT 0,
  renderer     INTEGER NOT NULL, -- version of the renderer that made html
  publish_at   INTEGER NOT NULL DEFAULT 0,
  published_at INTEGER NOT NULL DEFAULT 0, -- first publication; 0 also when it is unknown
  public_once  INTEGER NOT NULL DEFAULT 0, -- 1: everybody could read it at some time
  created_at   INTEGER NOT NULL DEFAULT 0,
  updated_at   INTEGER NOT NULL DEFAULT 0,
  sort_at      INTEGER NOT NULL -- what lists are ordered by: publication, else creation, else import
);
CREATE UNIQUE INDEX articles_by_slug ON articles (slug) WHERE state <> 'deleted';
CREATE INDEX articles_by_time ON articles (sort_at DESC, id DESC) WHERE state <> 'deleted';
CREATE INDEX articles_by_author ON articles (author_id, sort_at DESC, id DESC) WHERE state <> 'deleted';

CREATE TABLE article_tags (
  article_id INTEGER NOT NULL REFERENCES articles (id),
  tag        TEXT NOT NULL,
  PRIMARY KEY (article_id, tag)
) WITHOUT ROWID;
CREATE INDEX article_tags_by_tag ON article_tags (tag, article_id);

CREATE TABLE revisions (
  id            INTEGER PRIMARY KEY,
  article_id    INTEGER NOT NULL REFERENCES articles (id),
  number        INTEGER NOT NULL,
  state         TEXT NOT NULL,
  author_id     INTEGER NOT NULL REFERENCES users (id),
  message       TEXT NOT NULL DEFAULT '',
  title         TEXT NOT NULL,
  standfirst    TEXT NOT NULL DEFAULT '',
  body          TEXT NOT NULL,
  html          TEXT NOT NULL,
  renderer      INTEGER NOT NULL,
  words_added   INTEGER NOT NULL DEFAULT 0,
  words_removed INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL DEFAULT 0,
  UNIQUE (article_id, number)
);

-- A comment is shown when it is approved, or when something below it is shown
-- and it must stand as a tombstone. The flag is kept with the row so that no
-- list has to look below or above a comment to know whether to show it.
CREATE TABLE comments (
  id            INTEGER PRIMARY KEY,
  thread_id     INTEGER NOT NULL REFERENCES threads (id),
  parent_id     INTEGER REFERENCES comments (id),
  root_id       INTEGER NOT NULL, -- its own id for a root
  depth         INTEGER NOT NULL,
  author_id     INTEGER NOT NULL REFERENCES users (id),
  revision      INTEGER NOT NULL DEFAULT 0, -- of the article, when it was written
  state         TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'spam', 'deleted')),
  shown         INTEGER NOT NULL DEFAULT 0,
  held_why      TEXT NOT NULL DEFAULT '', -- why it waits: premoderated, first_comment, edited
  reason        TEXT NOT NULL DEFAULT '', -- of the last decision against it
  body          TEXT NOT NULL,
  html          TEXT NOT NULL,
  renderer      INTEGER NOT NULL,
  up            INTEGER NOT NULL DEFAULT 0,
  down          INTEGER NOT NULL DEFAULT 0,
  rank          REAL NOT NULL DEFAULT 0, -- Wilson lower bound of up / (up + down)
  shown_replies INTEGER NOT NULL DEFAULT 0, -- direct replies that are shown
  open_reports  INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL DEFAULT 0,
  edited_at     INTEGER NOT NULL DEFAULT 0,
  queued_at     INTEGER NOT NULL DEFAULT 0 -- since when it waits for a moderator
);
CREATE INDEX comments_roots_by_age ON comments (thread_id, id) WHERE parent_id IS NULL AND shown = 1;
CREATE INDEX comments_roots_by_rank ON comments (thread_id, rank DESC, id) WHERE parent_id IS NULL AND shown = 1;
CREATE INDEX comments_below_root ON comments (root_id, id) WHERE parent_id IS NOT NULL AND shown = 1;
CREATE INDEX comments_replies ON comments (parent_id, id) WHERE parent_id IS NOT NULL AND shown = 1;
CREATE INDEX comments_by_author ON comments (author_id, id);
CREATE INDEX comments_unsettled ON comments (author_id, thread_id, id) WHERE state IN ('pending', 'rejected', 'spam');
CREATE INDEX comments_queue ON comments (state, id) WHERE state IN ('pending', 'rejected', 'spam');
CREATE INDEX comments_reported ON comments (id) WHERE open_reports > 0;

CREATE TABLE comment_versions (
  comment_id INTEGER NOT NULL REFERENCES comments (id),
  number     INTEGER NOT NULL, -- 1 is the text as first posted
  body       TEXT NOT NULL,
  html       TEXT NOT NULL,
  created_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (comment_id, number)
) WITHOUT ROWID;

CREATE TABLE votes (
  comment_id INTEGER NOT NULL REFERENCES comments (id),
  user_id    INTEGER NOT NULL REFERENCES users (id),
  value      INTEGER NOT NULL CHECK (value IN (-1, 1)),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (comment_id, user_id)
) WITHOUT ROWID;
CREATE INDEX votes_by_user ON votes (user_id, comment_id);

CREATE TABLE reports (
  id         INTEGER PRIMARY KEY,
  comment_id INTEGER NOT NULL REFERENCES comments (id),
  user_id    INTEGER NOT NULL REFERENCES users (id),
  reason     TEXT NOT NULL,
  note       TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  settled_by INTEGER REFERENCES decisions (id), -- NULL while open
  UNIQUE (comment_id, user_id)
);
CREATE INDEX reports_by_decision ON reports (settled_by) WHERE settled_by IS NOT NULL;

-- Decisions are only ever added. Undoing one adds another that names it.
CREATE TABLE decisions (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL CHECK (kind IN ('approve', 'reject', 'spam', 'undo')),
  reason     TEXT NOT NULL DEFAULT '',
  actor_id   INTEGER REFERENCES users (id), -- NULL: the command line
  undoes_id  INTEGER UNIQUE REFERENCES decisions (id),
  created_at INTEGER NOT NULL
);
CREATE INDEX decisions_by_actor ON decisions (actor_id, id);
CREATE TABLE decision_items (
  decision_id   INTEGER NOT NULL REFERENCES decisions (id),
  comment_id    INTEGER NOT NULL REFERENCES comments (id),
  state_before  TEXT NOT NULL,
  state_after   TEXT NOT NULL,
  reason_before TEXT NOT NULL DEFAULT '',
  reason_after  TEXT NOT NULL DEFAULT '',
  held_before   TEXT NOT NULL DEFAULT '', -- why it waited, and since when
  queued_before INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (decision_id, comment_id)
) WITHOUT ROWID;
CREATE INDEX decision_items_by_comment ON decision_items (comment_id, decision_id);

-- What happened, in the order it was committed. Rows carry ids, never content:
-- whoever follows them reads through the policy as the reader it serves.
CREATE TABLE events (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  kind       TEXT NOT NULL, -- comment.created, article.published, user.role, …
  actor_id   INTEGER,
  thread_id  INTEGER,
  article_id INTEGER,
  comment_id INTEGER,
  user_id    INTEGER,
  created_at INTEGER NOT NULL
);

-- Which record of which dump became which row, so that an import repeats
-- without doubling anything.
CREATE TABLE imported (
  source    TEXT NOT NULL,
  kind      TEXT NOT NULL CHECK (kind IN ('article', 'comment', 'user')),
  source_id TEXT NOT NULL,
  target_id INTEGER NOT NULL,
  PRIMARY KEY (source, kind, source_id)
) WITHOUT ROWID;

-- +goose Down
SELECT 'going back needs the backup that was made before the upgrade';
