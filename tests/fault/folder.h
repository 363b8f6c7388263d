/* folder.h - throw-away folders of the crash tests. In memory where the machine has /dev/shm: these
 * tests imitate the disk, so the true one would only make them slow. */
#ifndef FAULT_FOLDER_H
#define FAULT_FOLDER_H

#define FOLDER_BYTES 128

/* A new empty folder, its true absolute path in ret. Aborts where there is none to be had. */
void folder_new(char ret[FOLDER_BYTES]);
/* Removes the files in it (not folders below), but keeps the folder. */
void folder_clear(const char *dir);
void folder_remove(const char *dir);

/* A number from the environment, or `absent`. */
unsigned long setting(const char *name, unsigned long absent);

#endif
