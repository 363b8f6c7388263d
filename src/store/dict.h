/* dict.h - the compression dictionaries, by number. A number's bytes never change once released;
 * defs/dict/README.md says where they come from.
 */
#ifndef STORE_DICT_H
#define STORE_DICT_H

#include "base/str.h"

#include <zstd.h>

#define DICT_NEWEST 1

/* The digested dictionary for reading, made on first use; NULL if there is no such number (or no
 * memory). Safe from any thread; lives as long as the process. */
const ZSTD_DDict *dict_open(uint64_t number);
/* The newest dictionary for writing. */
const ZSTD_CDict *dict_seal(void);

#endif
