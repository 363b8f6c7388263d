#include "store/dict.h"

#include <pthread.h>

/* With the dictionary, level 3 compresses over 140,000 resources a second and core to 181 bytes on
 * average; level 5 is larger, level 9 gains 8 bytes at a quarter of the speed
 * (docs/formats/store.md). */
#define SEAL_LEVEL 3

/* The bytes come straight from the file that is checked in; a dictionary never changes, so the
 * compiler needs to know nothing of its contents. */
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "carnet_dict_0001:\n"
        ".incbin \"" DICT_DIR "/0001.bin\"\n"
        "carnet_dict_0001_end:\n"
        ".byte 0\n"
        ".popsection\n");
extern const char carnet_dict_0001[] __attribute__((visibility("hidden")));
extern const char carnet_dict_0001_end[] __attribute__((visibility("hidden")));

static ZSTD_DDict *opened[DICT_NEWEST + 1];
static ZSTD_CDict *sealing;
static pthread_once_t open_once = PTHREAD_ONCE_INIT, seal_once = PTHREAD_ONCE_INIT;

static struct str bytes(void)
{
    return str_n(carnet_dict_0001, (size_t)(carnet_dict_0001_end - carnet_dict_0001));
}

static void make_open(void)
{
    struct str s = bytes();

    opened[1] = ZSTD_createDDict(s.p, s.n);
}

static void make_seal(void)
{
    struct str s = bytes();

    sealing = ZSTD_createCDict(s.p, s.n, SEAL_LEVEL);
}

const ZSTD_DDict *dict_open(uint64_t number)
{
    pthread_once(&open_once, make_open);
    return number <= DICT_NEWEST ? opened[number] : NULL;
}

const ZSTD_CDict *dict_seal(void)
{
    pthread_once(&seal_once, make_seal);
    return sealing;
}
