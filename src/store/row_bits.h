/* row_bits.h - a set of row numbers that only some threads add to and any thread asks, without a
 * lock: pages of bits below two levels of pointers, never freed or moved while the set lives.
 *
 * An empty set is all zeros. Memory is 8 KiB for each 65,536 rows of which one is in the set.
 */
#ifndef STORE_ROW_BITS_H
#define STORE_ROW_BITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ROW_BITS_PAGE 16 /* bits of a row's number that a page tells apart */
#define ROW_BITS_MID 12
#define ROW_BITS_TOP 12 /* together 40: any row */

struct row_page {
    atomic_uint_fast64_t words[(1 << ROW_BITS_PAGE) / 64];
};
struct row_mid {
    _Atomic(struct row_page *) pages[1 << ROW_BITS_MID];
};
struct row_bits {
    _Atomic(struct row_mid *) mids[1 << ROW_BITS_TOP];
};

/* Once nobody asks any more. */
void row_bits_done(struct row_bits *b);
/* Adds a row; false without memory. One thread at a time adds or removes. */
bool row_bits_set(struct row_bits *b, uint64_t row);
void row_bits_clear(struct row_bits *b, uint64_t row);

static inline bool row_bits_has(const struct row_bits *b, uint64_t row)
{
    const struct row_mid *mid =
        atomic_load_explicit(&b->mids[row >> (ROW_BITS_PAGE + ROW_BITS_MID)], memory_order_acquire);
    const struct row_page *page;

    if (!mid)
        return false;
    page = atomic_load_explicit(&mid->pages[row >> ROW_BITS_PAGE & ((1u << ROW_BITS_MID) - 1)],
                                memory_order_acquire);
    return page && atomic_load_explicit(&page->words[row % (1u << ROW_BITS_PAGE) / 64],
                                        memory_order_relaxed) >>
                           (row % 64) &
                       1;
}

#endif
