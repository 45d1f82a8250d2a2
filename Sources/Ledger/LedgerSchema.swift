import GRDB

/// The ledger's tables, version by version: an older build's ledger is carried forward.
enum LedgerSchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(
        sql: """
          CREATE TABLE lake (id TEXT NOT NULL);

          -- What commits/ says.
          CREATE TABLE commits (
            number INTEGER PRIMARY KEY, batch TEXT NOT NULL, kind TEXT NOT NULL,
            contract TEXT NOT NULL, committed_at TEXT NOT NULL,
            published INTEGER NOT NULL DEFAULT 0);
          CREATE INDEX commits_unpublished ON commits (number) WHERE published = 0;
          CREATE TABLE raw_objects (
            key TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL,
            commit_number INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE files (
            key TEXT PRIMARY KEY, commit_number INTEGER NOT NULL, layer TEXT NOT NULL,
            size INTEGER NOT NULL, rows INTEGER NOT NULL, sha256 TEXT NOT NULL,
            superseded INTEGER NOT NULL DEFAULT 0, loaded INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
          CREATE INDEX files_of_commit ON files (commit_number);
          CREATE INDEX files_waiting ON files (commit_number, key)
            WHERE layer = 'bronze' AND loaded = 0;
          CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

          -- What this host knows besides.
          CREATE TABLE tries (
            key TEXT PRIMARY KEY, stage TEXT NOT NULL, count INTEGER NOT NULL, reason TEXT NOT NULL);
          CREATE TABLE parked (
            key TEXT PRIMARY KEY, stage TEXT NOT NULL, size INTEGER NOT NULL,
            modified INTEGER NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL);
          CREATE TABLE changed (
            key TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, at TEXT NOT NULL);
          CREATE TABLE work (batch TEXT PRIMARY KEY);
          CREATE TABLE gauges (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("2") { database in
      try database.execute(
        sql: """
          ALTER TABLE raw_objects ADD COLUMN checksum TEXT NOT NULL DEFAULT '';
          ALTER TABLE files ADD COLUMN contract TEXT;
          -- What is new in them stands in the commits: they are read again.
          DELETE FROM commits;
          DELETE FROM raw_objects;
          DELETE FROM files;
          DELETE FROM totals;
          """)
    }
    migrator.registerMigration("3") { database in
      try database.execute(
        sql: """
          -- A file is in the warehouse as long as it is in force: loaded and superseded are equal
          -- where it has yet to come or to go.
          DROP INDEX files_waiting;
          CREATE INDEX files_waiting ON files (layer, commit_number, key) WHERE loaded = superseded;
          CREATE INDEX redrives_unpublished ON commits (number)
            WHERE published = 0 AND kind = 'redrive';
          """)
    }
    migrator.registerMigration("4") { database in
      try database.execute(
        sql: """
          -- What the pipe was told to load, and has yet to; times are in milliseconds since 1970.
          CREATE TABLE pipe_queue (
            key TEXT PRIMARY KEY, size INTEGER, received INTEGER NOT NULL) WITHOUT ROWID;
          CREATE INDEX pipe_queue_by_age ON pipe_queue (received, key);
          CREATE TABLE pipe_requests (
            user TEXT NOT NULL, id TEXT NOT NULL, received INTEGER NOT NULL,
            PRIMARY KEY (user, id)) WITHOUT ROWID;

          -- What became of files, one event after the other; an error only where a load failed.
          -- noted: the warehouse knows of it, too.
          CREATE TABLE pipe_events (
            number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, received INTEGER NOT NULL,
            at INTEGER NOT NULL, size INTEGER NOT NULL, rows INTEGER NOT NULL, error TEXT,
            noted INTEGER NOT NULL);
          CREATE INDEX pipe_events_by_time ON pipe_events (at, number);
          CREATE INDEX pipe_events_by_key ON pipe_events (key, number);
          CREATE INDEX pipe_events_unnoted ON pipe_events (number) WHERE noted = 0;
          CREATE TABLE pipe_notifications (id TEXT PRIMARY KEY, body TEXT NOT NULL);
          """)
    }
    migrator.registerMigration("5") { database in
      // Files by size and rows by layer are sums from now on, since somebody asks each second.
      for size in Ledger.FileSizes.classes {
        try database.execute(
          sql: """
            INSERT INTO totals(name, value)
            SELECT ?, count(*) FROM files WHERE layer = 'bronze' AND size >= ? AND size < ?
            """, arguments: [size.total, size.range.lowerBound, size.range.upperBound])
      }
    }
    return migrator
  }
}
