/* record_int.h - what the files of a record's page share. */
#ifndef API_RECORD_INT_H
#define API_RECORD_INT_H

#include "notify/notify.h"

#define RECORD_SECTIONS 13 /* types that have one of their own; the rest stands in the last */

enum record_word { WORD_TITLE, WORD_MADE, WORD_ALL, WORD_OTHER, WORD_COUNT };

struct str record_word(enum record_word word, enum notify_language language);
/* The heading of a section, 0 to RECORD_SECTIONS; and which one a type stands in. */
struct str record_section(size_t i, enum notify_language language);
size_t record_section_of(struct str type);

#endif
