#include "cli/cli.h"

#include "server/audit_note.h"
#include "server/operator.h"

int cli_note(const struct server_config *config, const char *what, char *const *words, size_t n,
             struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(2 * AUDIT_NOTE_MAX);

    for (size_t i = 0; i < n && text.n < AUDIT_NOTE_MAX; i++) {
        struct str word = str_c(words[i]);

        if (i)
            sb_char(&text, ' ');
        sb_str(&text, str_head(word, MIN(word.n, AUDIT_NOTE_MAX)));
    }
    return text.failed ? err_no_memory(err) : operator_note(config, what, sb_view(&text), err);
}
