/* crash_vfs.h - what would the disk hold if the power failed now?
 *
 * A VFS in front of SQLite's own that records every write, truncation, sync and deletion of
 * databases, logs and journals below one folder, and the acknowledgements that a test puts between
 * them. Afterwards the folder can be built as a crash at any of these points may have left it: what
 * was synced is there; of what was not, each 512-byte sector of each write is there or is not.
 */
#ifndef FAULT_CRASH_VFS_H
#define FAULT_CRASH_VFS_H

#include "base/rng.h"

#include <sqlite3.h>

#define CRASH_SECTOR_BYTES 512

/* Puts the recorder in front of the VFS of that name, under the same name, and makes it the
 * default. Call once, before any connection is opened. */
int crash_vfs_register(const char *name);

/* Files below `dir` (an absolute path) are recorded from now on; what they hold is taken as synced.
 * No connection to them may be open. */
void crash_vfs_record(const char *dir);
/* Ends the recording; the log stays until the next crash_vfs_record. */
void crash_vfs_stop(void);

/* From now on every write, truncation, sync and read of a recorded kind of file is a fault point
 * (base/fault.h) that fails as a full or broken disk does. */
void crash_vfs_may_fail(bool on);

/* An acknowledgement has been given: number `n` of the test's own. From any thread. */
void crash_vfs_ack(uint64_t n);

/* Number of recorded events; a crash can be at 0 … crash_vfs_events(). */
size_t crash_vfs_events(void);
/* How many of them were syncs. */
size_t crash_vfs_syncs(void);

enum crash_mode {
    CRASH_DROP, /* nothing unsynced arrived */
    CRASH_TEAR, /* each unsynced sector arrived or not */
    CRASH_LAST, /* all arrived, only the last write of each file is torn */
    CRASH_KEEP, /* all arrived: what kill -9 leaves */
    CRASH_MODES
};

struct crash_replay;

/* Walks forward over the log. Free with crash_replay_free. NULL without memory. */
struct crash_replay *crash_replay_new(void);
void crash_replay_free(struct crash_replay *r);
/* Goes on to event `to` (never back); `acked` is called for each acknowledgement on the way. */
void crash_replay_to(struct crash_replay *r, size_t to, void (*acked)(void *ctx, uint64_t n),
                     void *ctx);
/* Writes the files as a crash at this point may have left them into the empty folder `dir`.
 * Returns 0, or -1 with errno. */
int crash_replay_write(const struct crash_replay *r, const char *dir, enum crash_mode mode,
                       struct rng *rng);

#endif
