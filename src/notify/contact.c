/* contact.c - how somebody is reached, as their Patient or Practitioner says. */
#include "notify/notify_int.h"

static bool is_word(struct str s, size_t max)
{
    if (!s.n || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || strchr("<>,;:\"\\()", s.p[i]))
            return false;
    return true;
}

bool notify_is_mail(struct str s)
{
    ptrdiff_t at = str_rfind(s, '@');

    return is_word(s, NOTIFY_ADDRESS_MAX) && at > 0 && (size_t)at + 1 < s.n;
}

/* Digits alone, with a '+' in front where there is one; blanks and the like are what people write
 * between them. STR_NULL: it is no number. */
static struct str phone_of(struct arena *a, struct str s, struct err *err)
{
    char *to = arena_alloc(a, NOTIFY_PHONE_MAX);
    size_t n = 0;

    if (!to) {
        err_no_memory(err);
        return STR("");
    }
    for (size_t i = 0; i < s.n; i++) {
        if (strchr(" -().", s.p[i]))
            continue;
        if (n == NOTIFY_PHONE_MAX || !((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] == '+' && !n)))
            return STR_NULL;
        to[n++] = s.p[i];
    }
    return n > 4 ? str_n(to, n) : STR_NULL;
}

static int read_telecom(struct arena *a, yyjson_val *list, struct notice_contact *ret,
                        struct err *err)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(list, i, max, one) {
        struct str system = js_get_str(one, "system"), value = js_get_str(one, "value");

        if (!value.n || str_eq(js_get_str(one, "use"), STR("old")) ||
            js_get_str(js_get(one, "period"), "end").n)
            continue;
        if (str_eq(system, STR("email")) && !ret->email.n && notify_is_mail(value))
            ret->email = value;
        if ((str_eq(system, STR("phone")) || str_eq(system, STR("sms"))) && !ret->phone.n) {
            struct str phone = phone_of(a, value, err);

            if (phone.p && !phone.n)
                return ERR_NO_MEMORY;
            if (phone.n)
                ret->phone = phone;
        }
    }
    return 0;
}

static bool speaks(yyjson_val *concept, enum notify_language *ret)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, one) {
        if (notify_language_of(js_get_str(one, "code"), ret))
            return true;
    }
    return false;
}

/* A Patient's communication has a language each, a Practitioner's is one each. */
static enum notify_language language_of(yyjson_val *list, enum notify_language fallback)
{
    enum notify_language found = fallback, any;
    bool has = false;
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(list, i, max, one) {
        yyjson_val *of = js_get(one, "language");

        if (!speaks(of ? of : one, &any))
            continue;
        if (yyjson_is_true(js_get(one, "preferred")))
            return any;
        if (!has)
            found = any;
        has = true;
    }
    return found;
}

int notify_contact(struct arena *a, yyjson_val *resource, enum notify_language fallback,
                   struct notice_contact *ret, struct err *err)
{
    *ret = (struct notice_contact){.email = STR(""),
                                   .phone = STR(""),
                                   .language =
                                       language_of(js_get(resource, "communication"), fallback)};
    return read_telecom(a, js_get(resource, "telecom"), ret, err);
}
