#include "surveillance/signal_step.h"

#include "surveillance/signals_int.h"

#include "base/clock.h"
#include "fhir/date.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define REFERENCE_MAX 200
#define ANNEX2_CRITERIA 4
#define ANNEX2_ENOUGH 2 /* criteria that are met: WHO is notified */

/* ---- the steps ---- */

enum state { TRIAGE, VERIFY, ASSESS, RESPOND, CLOSED, DISCARDED, STATES };

static const char *const states[STATES] = {"triage",  "verify", "assess",
                                           "respond", "closed", "discarded"};

#define AT(state) (1u << (state))
#define SAME STATES
#define WITHDRAWN AT(STATES) /* may be done with a signal that the node took back */

static const struct step {
    const char *name;
    unsigned from;
    enum state to;
    const char *stamp; /* output that says when it was first taken, or NULL */
    bool says_why;     /* with a note */
} steps[] = {
    {"take", AT(TRIAGE), VERIFY, "taken", false},
    {"assign", AT(TRIAGE) | AT(VERIFY) | AT(ASSESS) | AT(RESPOND), SAME, NULL, false},
    {"verify", AT(VERIFY), ASSESS, "verified", false},
    {"assess", AT(ASSESS) | AT(RESPOND), RESPOND, "assessed", false},
    {"annex2", AT(ASSESS) | AT(RESPOND), SAME, "annex2-answered", false},
    {"notify-who", AT(ASSESS) | AT(RESPOND), SAME, "who-notified", false},
    {"action", AT(RESPOND), SAME, NULL, false},
    {"note", AT(TRIAGE) | AT(VERIFY) | AT(ASSESS) | AT(RESPOND), SAME, NULL, true},
    {"close", AT(RESPOND), CLOSED, "closed", true},
    {"discard", AT(TRIAGE) | AT(VERIFY) | AT(ASSESS) | WITHDRAWN, DISCARDED, "closed", true},
};

/* ---- what they ask ---- */

enum kind { CODE, BOOLEAN, DATE, REFERENCE };

#define LIKELIHOODS "very-unlikely unlikely likely highly-likely almost-certain"
#define IMPACTS "minimal minor moderate major severe"
#define ACTIONS                                                                                    \
    "investigation analysis laboratory case-management countermeasures communication coordination"

static const struct fact {
    const char *step, *name;
    enum kind kind;
    bool is_required;
    const char *codes;
} facts[] = {
    {"take", "owner", REFERENCE, false, NULL},
    {"assign", "owner", REFERENCE, true, NULL},
    {"verify", "emergence", DATE, false, NULL},
    {"assess", "likelihood", CODE, true, LIKELIHOODS},
    {"assess", "impact", CODE, true, IMPACTS},
    {"assess", "confidence", CODE, true, "low medium high"},
    {"assess", "risk", CODE, true, "low moderate high very-high"},
    {"annex2", "listed", BOOLEAN, false, NULL},
    {"annex2", "serious", BOOLEAN, true, NULL},
    {"annex2", "unusual", BOOLEAN, true, NULL},
    {"annex2", "spread", BOOLEAN, true, NULL},
    {"annex2", "restrictions", BOOLEAN, true, NULL},
    {"action", "action", CODE, true, ACTIONS},
    {"action", "applies", BOOLEAN, false, NULL},
};

static bool is_word(struct str text, const char *words)
{
    struct str rest = str_c(words), word;

    while (str_split(&rest, ' ', &word))
        if (str_eq(word, text))
            return true;
    return false;
}

static bool is_true(struct str text)
{
    return str_eq(text, STR("true"));
}

static struct str answer(const struct signal_step *s, const char *name)
{
    for (size_t i = 0; i < s->n_answers; i++)
        if (str_eq(s->answers[i].name, str_c(name)))
            return s->answers[i].text;
    return STR_NULL;
}

static bool is_reference(struct str text)
{
    return text.n <= REFERENCE_MAX && ((str_starts(text, STR("Practitioner/")) && text.n > 13) ||
                                       (str_starts(text, STR("Organization/")) && text.n > 13) ||
                                       (str_starts(text, STR("PractitionerRole/")) && text.n > 17));
}

static int check_date(struct str text, int64_t now_ms, struct err *err)
{
    struct date day;
    int r = date_parse(DATE_DATE, text, 0, &day, err);

    if (r < 0)
        return r;
    if (day.precision != DATE_DAY)
        return err_at(err, ERR_VALUE, "emergence", "the day of emergence is needed, not a month");
    if (day.from_ms > now_ms + DAY_MS)
        return err_at(err, ERR_VALUE, "emergence", "the day of emergence is ahead");
    return 0;
}

static int check_fact(const struct fact *f, const struct signal_step *s, struct err *err)
{
    struct str text = answer(s, f->name);

    if (!text.p)
        return f->is_required ? err_at(err, ERR_REQUIRED, f->name, "the step \"%s\" needs \"%s\"",
                                       f->step, f->name)
                              : 0;
    switch (f->kind) {
    case CODE:
        return is_word(text, f->codes)
                   ? 0
                   : err_at(err, ERR_VALUE, f->name, "\"%s\" is one of: %s", f->name, f->codes);
    case BOOLEAN:
        return is_word(text, "true false")
                   ? 0
                   : err_at(err, ERR_VALUE, f->name, "\"%s\" is neither true nor false", f->name);
    case DATE: return check_date(text, s->now_ms, err);
    case REFERENCE: break;
    }
    return is_reference(text)
               ? 0
               : err_at(err, ERR_VALUE, f->name,
                        "\"%s\" is a Practitioner/ID, PractitionerRole/ID or Organization/ID",
                        f->name);
}

static int check_answers(const struct step *step, const struct signal_step *s, struct err *err)
{
    for (size_t i = 0; i < s->n_answers; i++) {
        bool is_known = false;

        for (size_t f = 0; f < ARRAY_LEN(facts); f++)
            is_known |= str_eq(str_c(facts[f].step), s->name) &&
                        str_eq(str_c(facts[f].name), s->answers[i].name);
        for (size_t k = 0; k < i; k++)
            if (str_eq(s->answers[k].name, s->answers[i].name))
                return err_set(err, ERR_VALUE, "\"%.*s\" is answered twice",
                               (int)MIN(s->answers[i].name.n, 64u), s->answers[i].name.p);
        if (!is_known)
            return err_set(err, ERR_NOT_SUPPORTED, "the step \"%s\" has no \"%.*s\"", step->name,
                           (int)MIN(s->answers[i].name.n, 64u), s->answers[i].name.p);
    }
    for (size_t f = 0; f < ARRAY_LEN(facts); f++)
        if (str_eq(str_c(facts[f].step), s->name)) {
            int r = check_fact(&facts[f], s, err);
            if (r < 0)
                return r;
        }
    if (step->says_why && !s->note.n)
        return err_at(err, ERR_REQUIRED, "note", "the step \"%s\" needs a note that says why",
                      step->name);
    if (s->note.n > SIGNAL_NOTE_MAX)
        return err_at(err, ERR_VALUE, "note", "a note has at most %d bytes", (int)SIGNAL_NOTE_MAX);
    return 0;
}

/* ---- what a Task says ---- */

static bool is_coded(yyjson_val *concept, const char *system, struct str code)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(concept, "coding"), i, max, one)
        if (str_eq(js_get_str(one, "system"), str_c(system)) &&
            str_eq(js_get_str(one, "code"), code))
            return true;
    return false;
}

bool signal_is(yyjson_val *task)
{
    struct signal_read said;

    return signal_read(task, &said);
}

static bool is_withdrawn(yyjson_val *task)
{
    struct signal_read said;

    return signal_read(task, &said) && said.is_withdrawn;
}

/* One whose state nobody of ours wrote is looked at anew. */
static enum state state_of(yyjson_val *task)
{
    for (int i = 0; i < STATES; i++)
        if (is_coded(js_get(task, "businessStatus"), SIGNAL_STATE_SYSTEM, str_c(states[i])))
            return (enum state)i;
    return TRIAGE;
}

static struct str output(yyjson_val *task, const char *code, const char *value)
{
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(task, "output"), i, max, one)
        if (is_coded(js_get(one, "type"), SIGNAL_SYSTEM, str_c(code)))
            return js_primitive(js_get(one, value));
    return STR_NULL;
}

/* When something was done; INT64_MIN: not yet. */
static int64_t moment(struct str text)
{
    struct err err = {0};
    struct date d;

    if (!text.n || date_parse(DATE_DATETIME, text, 0, &d, &err) < 0)
        return INT64_MIN;
    return d.from_ms;
}

static int64_t output_moment(yyjson_val *task, const char *code)
{
    return moment(output(task, code, "valueDateTime"));
}

static bool is_notifiable(const struct signal_step *s)
{
    static const char *const criteria[ANNEX2_CRITERIA] = {"serious", "unusual", "spread",
                                                          "restrictions"};
    int met = 0;

    for (int i = 0; i < ANNEX2_CRITERIA; i++)
        met += is_true(answer(s, criteria[i]));
    return is_true(answer(s, "listed")) || met >= ANNEX2_ENOUGH;
}

/* Whether WHO must be told and was not. */
static bool owes_notice(yyjson_val *task)
{
    return output_moment(task, "notifiable-since") != INT64_MIN &&
           output_moment(task, "who-notified") == INT64_MIN;
}

static int check_order(const struct step *step, yyjson_val *task, struct err *err)
{
    enum state now = state_of(task);
    bool is_back = is_withdrawn(task);

    if (is_back && !(step->from & WITHDRAWN))
        return err_set(err, ERR_CONFLICT,
                       "the signal is withdrawn: its records do not say so any more; it can be "
                       "discarded");
    if (!is_back && (signal_is_ended(task) || now == CLOSED || now == DISCARDED))
        return err_set(err, ERR_CONFLICT, "the signal is ended");
    if (!is_back && !(step->from & AT(now)))
        return err_set(err, ERR_CONFLICT,
                       "the signal waits for \"%s\": \"%s\" is not its next step", states[now],
                       step->name);
    if (str_eq(str_c(step->name), STR("notify-who")) && !owes_notice(task))
        return err_set(err, ERR_CONFLICT,
                       "nothing is to be notified: by Annex 2 it is not, or it was already");
    if (step->to == CLOSED && owes_notice(task))
        return err_set(err, ERR_CONFLICT,
                       "by Annex 2 WHO is to be notified before the signal is closed");
    /* What was not done yet can be, once: so that it can be brought to its end. */
    if (yyjson_arr_size(js_get(task, "note")) >= SIGNAL_NOTES_MAX &&
        (!step->stamp || output_moment(task, step->stamp) != INT64_MIN))
        return err_set(err, ERR_COSTLY, "a signal keeps at most %d notes", SIGNAL_NOTES_MAX);
    return 0;
}

/* ---- the next version ---- */

/* An output that takes the place of that of its code; without a value it only goes. */
struct found {
    const char *code;
    const char *type; /* of value[x]; NULL: no value */
    struct str text;
    bool is_bare; /* true, not "true" */
};

struct writing {
    const struct signal_step *s;
    yyjson_val *task;
    struct found v[SIGNAL_ANSWERS_MAX + 3];
    size_t n;
    char now[CLOCK_INSTANT_MAX], action[40];
};

static void find(struct writing *w, const char *code, const char *type, struct str text)
{
    w->v[w->n++] =
        (struct found){code, type, text, str_eq(str_c(type ? type : ""), STR("Boolean"))};
}

static void find_once(struct writing *w, const char *code)
{
    if (output_moment(w->task, code) == INT64_MIN)
        find(w, code, "DateTime", str_c(w->now));
}

/* An action is done now, or does not apply. */
static void find_action(struct writing *w)
{
    struct str name = answer(w->s, "action");

    snprintf(w->action, sizeof w->action, "action-%.*s", STR_ARG(name));
    if (str_eq(answer(w->s, "applies"), STR("false")))
        find(w, w->action, "Boolean", STR("false"));
    else
        find_once(w, w->action);
}

static void find_annex2(struct writing *w)
{
    bool is = is_notifiable(w->s);

    find(w, "notifiable", "Boolean", is ? STR("true") : STR("false"));
    if (is)
        find_once(w, "notifiable-since");
    else
        find(w, "notifiable-since", NULL, STR_NULL);
}

static void find_all(struct writing *w, const struct step *step)
{
    static const char *const types[] = {[CODE] = "Code", [BOOLEAN] = "Boolean", [DATE] = "Date"};

    if (step->stamp)
        find_once(w, step->stamp);
    if (str_eq(w->s->name, STR("action"))) {
        find_action(w);
        return;
    }
    for (size_t f = 0; f < ARRAY_LEN(facts); f++) {
        struct str text = answer(w->s, facts[f].name);
        if (str_eq(str_c(facts[f].step), w->s->name) && facts[f].kind != REFERENCE && text.p)
            find(w, facts[f].name, types[facts[f].kind], text);
    }
    if (str_eq(w->s->name, STR("annex2")))
        find_annex2(w);
}

static bool is_replaced(const struct writing *w, yyjson_val *of)
{
    for (size_t i = 0; i < w->n; i++)
        if (is_coded(js_get(of, "type"), SIGNAL_SYSTEM, str_c(w->v[i].code)))
            return true;
    return false;
}

static void put_outputs(struct sb *out, const struct writing *w)
{
    const char *before = ",\"output\":[";
    yyjson_val *one;
    size_t i, max;

    yyjson_arr_foreach(js_get(w->task, "output"), i, max, one) {
        if (is_replaced(w, one))
            continue;
        sb_str(out, str_c(before));
        before = ",";
        js_write(out, one);
    }
    for (i = 0; i < w->n; i++) {
        const struct found *f = &w->v[i];
        if (!f->type)
            continue;
        sb_fmt(out,
               "%s{\"type\":{\"coding\":[{\"system\":\"" SIGNAL_SYSTEM "\",\"code\":\"%s\"}]},",
               before, f->code);
        before = ",";
        sb_fmt(out, "\"value%s\":", f->type);
        if (f->is_bare)
            sb_str(out, f->text);
        else
            sb_json(out, f->text);
        sb_char(out, '}');
    }
    if (before[1] == '\0')
        sb_char(out, ']');
}

/* "action laboratory: Vibrio cholerae O1" */
static void put_said(struct sb *out, const struct signal_step *s)
{
    _cleanup_(sb_done) struct sb text = sb_make(SIGNAL_NOTE_MAX + 200);
    struct str action = answer(s, "action");

    sb_str(&text, s->name);
    if (action.n) {
        sb_char(&text, ' ');
        sb_str(&text, action);
    }
    if (s->note.n) {
        sb_lit(&text, ": ");
        sb_str(&text, s->note);
    }
    sb_json(out, sb_view(&text));
    out->failed |= text.failed;
}

static void put_notes(struct sb *out, const struct writing *w)
{
    const struct signal_step *s = w->s;
    yyjson_val *one;
    size_t i, max;

    sb_lit(out, ",\"note\":[");
    yyjson_arr_foreach(js_get(w->task, "note"), i, max, one) {
        js_write(out, one);
        sb_char(out, ',');
    }
    if (s->who.n) {
        sb_lit(out, "{\"authorReference\":{\"reference\":");
        sb_json(out, s->who);
        sb_char(out, '}');
    } else {
        sb_lit(out, "{\"authorString\":");
        sb_json(out, s->agent.n ? s->agent : STR("unknown"));
    }
    sb_fmt(out, ",\"time\":\"%s\",\"text\":", w->now);
    put_said(out, s);
    sb_lit(out, "}]");
}

/* Who has it: the one who is named, or who takes it; else as it was. */
static struct str owner_of(const struct writing *w)
{
    struct str named = answer(w->s, "owner");

    if (named.p)
        return named;
    return str_eq(w->s->name, STR("take")) ? w->s->who : STR_NULL;
}

static void put_state(struct sb *out, const struct writing *w, const struct step *step)
{
    enum state to = step->to == SAME ? state_of(w->task) : step->to;

    sb_fmt(out, ",\"status\":\"%s\"",
           to == CLOSED      ? "completed"
           : to == DISCARDED ? "rejected"
           : to == TRIAGE    ? "requested"
                             : "in-progress");
    sb_fmt(out,
           ",\"businessStatus\":{\"coding\":[{\"system\":\"" SIGNAL_STATE_SYSTEM
           "\",\"code\":\"%s\"}]}",
           states[to]);
    if (to == CLOSED || to == DISCARDED) {
        sb_lit(out, ",\"statusReason\":{\"text\":");
        sb_json(out, w->s->note);
        sb_char(out, '}');
    }
}

int signal_step(struct sb *out, yyjson_val *task, const struct signal_step *s, struct err *err)
{
    struct writing w = {.s = s, .task = task};
    const struct step *step = NULL;
    struct str owner;
    yyjson_val *key, *v;
    size_t i, max;
    int r;

    for (i = 0; i < ARRAY_LEN(steps) && !step; i++)
        if (str_eq(s->name, str_c(steps[i].name)))
            step = &steps[i];
    if (!step)
        return err_at(err, ERR_VALUE, "step", "there is no step \"%.*s\"", (int)MIN(s->name.n, 64u),
                      s->name.n ? s->name.p : "");
    if ((r = check_answers(step, s, err)) < 0 || (r = check_order(step, task, err)) < 0)
        return r;
    clock_format(s->now_ms, w.now);
    find_all(&w, step);
    owner = owner_of(&w);
    sb_lit(out, "{\"resourceType\":\"Task\"");
    yyjson_obj_foreach(task, i, max, key, v) {
        struct str name = js_str(key);
        if (is_word(name, "resourceType status statusReason businessStatus output note "
                          "lastModified") ||
            (owner.n && str_eq(name, STR("owner"))))
            continue;
        sb_char(out, ',');
        sb_json(out, name);
        sb_char(out, ':');
        js_write(out, v);
    }
    put_state(out, &w, step);
    if (owner.n) {
        sb_lit(out, ",\"owner\":{\"reference\":");
        sb_json(out, owner);
        sb_char(out, '}');
    }
    put_outputs(out, &w);
    put_notes(out, &w);
    sb_fmt(out, ",\"lastModified\":\"%s\"}", w.now);
    return sb_ok(out, err);
}

/* ---- where it stands ---- */

/* When the last of the seven early response actions was done; INT64_MIN: one is not. */
static int64_t responded(yyjson_val *task)
{
    struct str rest = STR(ACTIONS), word;
    int64_t last = INT64_MIN;

    while (str_split(&rest, ' ', &word)) {
        char code[40];
        int64_t done;

        snprintf(code, sizeof code, "action-%.*s", STR_ARG(word));
        done = output_moment(task, code);
        if (done == INT64_MIN && !str_eq(output(task, code, "valueBoolean"), STR("false")))
            return INT64_MIN;
        last = MAX(last, done);
    }
    return last == INT64_MIN ? output_moment(task, "assessed") : last; /* where none applies */
}

static void put_moment(struct sb *out, const char *name, int64_t at)
{
    char text[CLOCK_INSTANT_MAX];

    if (at == INT64_MIN) {
        sb_fmt(out, ",\"%s\":null", name);
        return;
    }
    clock_format(at, text);
    sb_fmt(out, ",\"%s\":\"%s\"", name, text);
}

static void put_clock(struct sb *out, const char *name, const char *of, int64_t start,
                      int64_t span_ms, int64_t done, int64_t now_ms)
{
    int64_t due = start == INT64_MIN ? INT64_MIN : start + span_ms;
    bool is_late = due != INT64_MIN && (done == INT64_MIN ? now_ms : done) > due;

    if (out->n && out->p[out->n - 1] == '}')
        sb_char(out, ',');
    sb_fmt(out, "{\"clock\":\"%s\",\"of\":\"%s\"", name, of);
    put_moment(out, "start", start);
    put_moment(out, "due", due);
    put_moment(out, "done", done);
    sb_fmt(out, ",\"late\":%s}", is_late ? "true" : "false");
}

/* Emergence is a day, so that detection has until the end of the seventh after it. */
static void put_clocks(struct sb *out, yyjson_val *task, int64_t now_ms)
{
    struct str said = output(task, "emergence", "valueDate");
    int64_t emerged = moment(said.n ? said : js_get_str(js_get(task, "executionPeriod"), "start"));
    int64_t found = moment(js_get_str(task, "authoredOn"));
    int64_t taken = output_moment(task, "taken");

    sb_lit(out, ",\"clocks\":[");
    put_clock(out, "detect", "7-1-7", emerged, 8 * DAY_MS - 1, found, now_ms);
    put_clock(out, "notify", "7-1-7", found, DAY_MS, taken, now_ms);
    put_clock(out, "respond", "7-1-7", taken, 7 * DAY_MS, responded(task), now_ms);
    put_clock(out, "assess", "IHR", found, 48 * HOUR_MS, output_moment(task, "annex2-answered"),
              now_ms);
    put_clock(out, "notify-who", "IHR", output_moment(task, "notifiable-since"), 24 * HOUR_MS,
              output_moment(task, "who-notified"), now_ms);
    sb_char(out, ']');
}

static void put_steps(struct sb *out, yyjson_val *task)
{
    const char *before = "";

    sb_lit(out, ",\"steps\":[");
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct err err = {0};
        if (check_order(&steps[i], task, &err) < 0)
            continue;
        sb_fmt(out, "%s\"%s\"", before, steps[i].name);
        before = ",";
    }
    sb_char(out, ']');
}

static void put_found(struct sb *out, yyjson_val *task, const char *names)
{
    struct str rest = str_c(names), name;

    while (str_split(&rest, ' ', &name)) {
        char code[40];
        struct str v;

        snprintf(code, sizeof code, "%.*s", STR_ARG(name));
        v = output(task, code, "valueCode");
        if (!v.n)
            continue;
        sb_fmt(out, ",\"%s\":", code);
        sb_json(out, v);
    }
}

static void put_actions(struct sb *out, yyjson_val *task)
{
    struct str rest = STR(ACTIONS), word;
    const char *before = "";

    sb_lit(out, ",\"actions\":[");
    while (str_split(&rest, ' ', &word)) {
        char code[40];

        snprintf(code, sizeof code, "action-%.*s", STR_ARG(word));
        sb_fmt(out, "%s{\"action\":\"%.*s\",\"applies\":%s", before, STR_ARG(word),
               str_eq(output(task, code, "valueBoolean"), STR("false")) ? "false" : "true");
        put_moment(out, "done", output_moment(task, code));
        sb_char(out, '}');
        before = ",";
    }
    sb_char(out, ']');
}

void signal_standing(struct sb *out, yyjson_val *task, int64_t now_ms)
{
    struct str owner = js_get_str(js_get(task, "owner"), "reference");
    struct str notifiable = output(task, "notifiable", "valueBoolean");

    sb_fmt(out, "\"state\":\"%s\",\"withdrawn\":%s", states[state_of(task)],
           is_withdrawn(task) ? "true" : "false");
    if (owner.n) {
        sb_lit(out, ",\"owner\":");
        sb_json(out, owner);
    }
    put_steps(out, task);
    put_found(out, task, "likelihood impact confidence risk");
    sb_lit(out, ",\"notifiable\":");
    sb_str(out, notifiable.n ? notifiable : STR("null"));
    put_actions(out, task);
    put_clocks(out, task, now_ms);
}
