#include "store/sight.h"

static bool reaches(const struct sight_rows *rows, uint64_t row)
{
    size_t at = rows_from(rows->v, rows->n, row);

    return at < rows->n && rows->v[at] == row;
}

enum sight_answer sight_row(const struct sight *s, int type, uint64_t row)
{
    uint8_t of_type = s->of_type[type];

    if (of_type == SIGHT_SHUT)
        return SIGHT_NO;
    if (of_type == SIGHT_OPEN)
        return SIGHT_YES;
    if (of_type == SIGHT_LOOK || s->asks_all)
        return SIGHT_ASK;
    if (s->reach && !reaches(&s->reach[type], row))
        return SIGHT_NO;
    if (s->ask && row_bits_has(s->ask, row))
        return SIGHT_ASK;
    for (size_t i = 0; i < s->n_shut; i++)
        if (row_bits_has(s->shut[i], row))
            return SIGHT_NO;
    return SIGHT_YES;
}

const struct sight_rows *sight_reach(const struct sight *s, int type)
{
    return s->of_type[type] == SIGHT_KEPT && !s->asks_all && s->reach ? &s->reach[type] : NULL;
}
