/* profiles_file.h - the file of --profiles: what records are held to on write (api/conformance.h
 * says how it is written). */
#ifndef SERVER_PROFILES_FILE_H
#define SERVER_PROFILES_FILE_H

#include "api/api.h"

/* The file's policy, for all that `api` writes. ERR_VALUE where it cannot be read, or a line of it
 * does not hold. */
int profiles_file_read(struct api *api, const char *path, struct err *err);

#endif
