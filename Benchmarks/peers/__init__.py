"""One program a peer: reads the raw objects, writes typed Parquet by UTC day, and ends.

Each is started in a process of its own, so that its whole cost can be taken. Its settings are the
quickest of those tried that still do the job: zstd at level 1, like ours.
"""
