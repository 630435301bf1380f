#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast macro, which Swift cannot import.
static inline sqlite3_destructor_type clickrelay_sqlite_transient(void) { return SQLITE_TRANSIENT; }

// Variadic functions, which Swift cannot import either.
static inline int clickrelay_sqlite_db_config(sqlite3 *db, int option, int on) {
    return sqlite3_db_config(db, option, on, (int *)0);
}
// Without statistics no global lock is taken for each allocation.
static inline int clickrelay_sqlite_no_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// What Swift's Glibc module leaves out (pthread_setname_np) or cannot call (prctl is variadic).
#include <sys/prctl.h>
static inline int clickrelay_name_this_thread(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}
