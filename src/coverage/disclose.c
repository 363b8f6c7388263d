#include "coverage/disclose.h"

int64_t disclose_number(uint64_t n)
{
    if (n && n < DISCLOSE_LEAST)
        return -1;
    return (int64_t)((n + DISCLOSE_LEAST / 2) / DISCLOSE_LEAST * DISCLOSE_LEAST);
}

int disclose_percent(uint64_t of, uint64_t with, int *ret_step)
{
    static const struct {
        uint64_t least;
        int step;
    } steps[] = {{100, 1}, {20, 5}, {DISCLOSE_SHARE_LEAST, 10}};

    size_t i = 0;

    if (disclose_number(with) < 0)
        return -1;
    while (i < ARRAY_LEN(steps) && of < steps[i].least)
        i++;
    if (i == ARRAY_LEN(steps))
        return -1;
    *ret_step = steps[i].step;
    return (int)((double)with * 100 / (double)of / steps[i].step + 0.5) * steps[i].step;
}

void disclose_write(struct sb *out, uint64_t n)
{
    int64_t said = disclose_number(n);

    if (said < 0)
        sb_lit(out, "null");
    else
        sb_i64(out, said);
}
