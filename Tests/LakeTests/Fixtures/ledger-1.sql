-- A ledger as the build with format 1 left it: its tables, and two commits.
BEGIN TRANSACTION;
CREATE TABLE changed (
  key TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, at TEXT NOT NULL);
CREATE TABLE commits (
  number INTEGER PRIMARY KEY, batch TEXT NOT NULL, kind TEXT NOT NULL,
  contract TEXT NOT NULL, committed_at TEXT NOT NULL,
  published INTEGER NOT NULL DEFAULT 0);
INSERT INTO "commits" VALUES(1,'20261123T000000000Z-00000001','bronze','c','2026-11-23T00:00:00.000Z',1);
INSERT INTO "commits" VALUES(2,'20261123T000001000Z-00000002','bronze','c','2026-11-23T00:00:01.000Z',1);
CREATE TABLE files (
  key TEXT PRIMARY KEY, commit_number INTEGER NOT NULL, layer TEXT NOT NULL,
  size INTEGER NOT NULL, rows INTEGER NOT NULL, sha256 TEXT NOT NULL,
  superseded INTEGER NOT NULL DEFAULT 0, loaded INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE gauges (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO "grdb_migrations" VALUES('1');
CREATE TABLE lake (id TEXT NOT NULL);
INSERT INTO "lake" VALUES('00000000-0000-0000-0000-000000000001');
CREATE TABLE parked (
  key TEXT PRIMARY KEY, stage TEXT NOT NULL, size INTEGER NOT NULL,
  modified INTEGER NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE raw_objects (
  key TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL,
  commit_number INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "raw_objects" VALUES('raw/1.json',10,20,1);
INSERT INTO "raw_objects" VALUES('raw/2.json',10,20,2);
CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "totals" VALUES('accepted',6);
INSERT INTO "totals" VALUES('raw.lines',6);
INSERT INTO "totals" VALUES('raw.objects',2);
CREATE TABLE tries (
  key TEXT PRIMARY KEY, stage TEXT NOT NULL, count INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE work (batch TEXT PRIMARY KEY);
CREATE INDEX commits_unpublished ON commits (number) WHERE published = 0;
CREATE INDEX files_of_commit ON files (commit_number);
CREATE INDEX files_waiting ON files (commit_number, key)
  WHERE layer = 'bronze' AND loaded = 0;
COMMIT;
