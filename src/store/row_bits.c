#include "store/row_bits.h"

#include "base/fault.h"

#include <stdlib.h>

#define MID_OF(row) ((row) >> (ROW_BITS_PAGE + ROW_BITS_MID) & ((1u << ROW_BITS_TOP) - 1))
#define PAGE_OF(row) ((row) >> ROW_BITS_PAGE & ((1u << ROW_BITS_MID) - 1))
#define WORD_OF(row) ((row) % (1u << ROW_BITS_PAGE) / 64)

void row_bits_done(struct row_bits *b)
{
    for (unsigned i = 0; i < 1u << ROW_BITS_TOP; i++) {
        struct row_mid *mid = atomic_load(&b->mids[i]);

        for (unsigned k = 0; mid && k < 1u << ROW_BITS_MID; k++)
            free(atomic_load(&mid->pages[k]));
        free(mid);
        atomic_store(&b->mids[i], NULL);
    }
}

/* The page of a row; NULL where there is none, or no memory for it. */
static struct row_page *page_of(struct row_bits *b, uint64_t row, bool make)
{
    struct row_mid *mid = atomic_load(&b->mids[MID_OF(row)]);
    struct row_page *page;

    if (!mid) {
        mid = make && !fault_point("row_bits") ? calloc(1, sizeof *mid) : NULL;
        if (!mid)
            return NULL;
        atomic_store_explicit(&b->mids[MID_OF(row)], mid, memory_order_release);
    }
    page = atomic_load(&mid->pages[PAGE_OF(row)]);
    if (!page) {
        page = make && !fault_point("row_bits") ? calloc(1, sizeof *page) : NULL;
        if (page)
            atomic_store_explicit(&mid->pages[PAGE_OF(row)], page, memory_order_release);
    }
    return page;
}

bool row_bits_set(struct row_bits *b, uint64_t row)
{
    struct row_page *page = page_of(b, row, true);

    if (page)
        atomic_fetch_or(&page->words[WORD_OF(row)], UINT64_C(1) << (row % 64));
    return page != NULL;
}

void row_bits_clear(struct row_bits *b, uint64_t row)
{
    struct row_page *page = page_of(b, row, false);

    if (page)
        atomic_fetch_and(&page->words[WORD_OF(row)], ~(UINT64_C(1) << (row % 64)));
}
