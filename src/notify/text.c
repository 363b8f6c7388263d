/* text.c - the words of notices, a row a kind, in the order of NOTIFY_LANGUAGES. {when} is the time
 * in UTC, {link} where to look. What they are about is never said.
 */
#include "notify/notify.h"

#include "base/clock.h"

struct words {
    struct str subject, text;
};

/* clang-format off */
static const struct words table[NOTICE_KIND_COUNT][NOTIFY_LANGUAGE_COUNT] = {
#define W(subject, text) {{subject, sizeof subject - 1}, {text, sizeof text - 1}}
    [NOTICE_GLASS] = {
        W("Your health record was opened in an emergency",
          "On {when}, somebody used emergency access to your health record. They had to give a "
          "reason, and it will be reviewed.\n\nSign in to see who it was and what was looked at: "
          "{link}\n"),
        W("تم فتح سجلك الصحي في حالة طارئة",
          "في {when} استخدم شخص ما الوصول الطارئ إلى سجلك الصحي. كان عليه ذكر السبب وستتم مراجعته."
          "\n\nسجّل الدخول لمعرفة من كان وما الذي اطّلع عليه: {link}\n"),
        W("您的健康档案在紧急情况下被打开",
          "有人于 {when} 通过紧急访问打开了您的健康档案。对方必须说明理由，并将接受审查。"
          "\n\n请登录查看是谁以及查看了哪些内容：{link}\n"),
        W("Votre dossier de santé a été ouvert en urgence",
          "Le {when}, quelqu’un a utilisé l’accès d’urgence à votre dossier de santé. Il a fallu "
          "donner un motif, qui sera examiné.\n\nConnectez-vous pour voir qui c’était et ce qui a "
          "été consulté : {link}\n"),
        W("Ваша медицинская карта была открыта в экстренном порядке",
          "{when} кто-то воспользовался экстренным доступом к вашей медицинской карте. Причину "
          "потребовалось указать, и она будет проверена.\n\nВойдите, чтобы узнать, кто это был и "
          "что просматривалось: {link}\n"),
        W("Su historia clínica se abrió en una emergencia",
          "El {when}, alguien usó el acceso de emergencia a su historia clínica. Tuvo que dar un "
          "motivo, que será revisado.\n\nInicie sesión para ver quién fue y qué se consultó: "
          "{link}\n"),
    },
    [NOTICE_CHECK_IN] = {
        W("You were checked in",
          "On {when}, a health worker said that you are with a colleague of theirs, who can see "
          "your health record since. If you were not there, sign in to see who it was, and tell "
          "whoever runs the node: {link}\n"),
        W("تم تسجيل حضورك",
          "في {when} أفاد عامل صحي بأنك لدى أحد زملائه، الذي يمكنه منذ ذلك الحين الاطلاع على سجلك "
          "الصحي. إذا لم تكن هناك، فسجّل الدخول لمعرفة من كان وأبلغ مشغّل العقدة: {link}\n"),
        W("您已被登记就诊",
          "一名医务人员于 {when} 登记您正在其同事处就诊，该同事此后可以查看您的健康档案。"
          "如果您当时不在场，请登录查看是谁，并告知节点管理方：{link}\n"),
        W("Votre présence a été enregistrée",
          "Le {when}, un professionnel de santé a déclaré que vous étiez auprès d’un collègue, qui "
          "peut depuis consulter votre dossier de santé. Si vous n’y étiez pas, connectez-vous "
          "pour voir qui c’était et prévenez le responsable du nœud : {link}\n"),
        W("Вас зарегистрировали на приёме",
          "{when} медицинский работник сообщил, что вы находитесь у его коллеги, который с этого "
          "времени может видеть вашу медицинскую карту. Если вас там не было, войдите, чтобы "
          "узнать, кто это был, и сообщите оператору узла: {link}\n"),
        W("Se registró su presencia",
          "El {when}, un profesional de la salud indicó que usted está con un colega suyo, que "
          "desde entonces puede ver su historia clínica. Si usted no estaba allí, inicie sesión "
          "para ver quién fue y avise a quien administra el nodo: {link}\n"),
    },
    [NOTICE_RESET] = {
        W("Set a new password",
          "On {when}, somebody asked to set a new password for your account. If it was you, open "
          "this page within an hour:\n\n{link}\n\nIf it was not you, do nothing: your password "
          "stays as it is.\n"),
        W("تعيين كلمة مرور جديدة",
          "في {when} طلب شخص ما تعيين كلمة مرور جديدة لحسابك. إذا كنت أنت، فافتح هذه الصفحة خلال "
          "ساعة:\n\n{link}\n\nإذا لم تكن أنت، فلا تفعل شيئًا: ستبقى كلمة مرورك كما هي.\n"),
        W("设置新密码",
          "有人于 {when} 请求为您的账户设置新密码。如果是您本人，请在一小时内打开此页面："
          "\n\n{link}\n\n如果不是您，请忽略：您的密码保持不变。\n"),
        W("Définir un nouveau mot de passe",
          "Le {when}, quelqu’un a demandé un nouveau mot de passe pour votre compte. Si c’est "
          "vous, ouvrez cette page dans l’heure :\n\n{link}\n\nSinon, ne faites rien : votre mot "
          "de passe reste le même.\n"),
        W("Задать новый пароль",
          "{when} кто-то запросил новый пароль для вашей учётной записи. Если это были вы, "
          "откройте эту страницу в течение часа:\n\n{link}\n\nЕсли нет, ничего не делайте: "
          "пароль останется "
          "прежним.\n"),
        W("Establecer una nueva contraseña",
          "El {when}, alguien pidió una nueva contraseña para su cuenta. Si fue usted, abra esta "
          "página en el plazo de una hora:\n\n{link}\n\nSi no, no haga nada: su contraseña no "
          "cambia.\n"),
    },
    [NOTICE_PASSWORD] = {
        W("Your password was changed",
          "On {when}, the password of your account was changed. If it was not you, tell whoever "
          "runs the node at once: {link}\n"),
        W("تم تغيير كلمة مرورك",
          "في {when} تم تغيير كلمة مرور حسابك. إذا لم تكن أنت، فأبلغ مشغّل العقدة فورًا: {link}\n"),
        W("您的密码已更改",
          "您账户的密码已于 {when} 更改。如果不是您本人操作，请立即告知节点管理方：{link}\n"),
        W("Votre mot de passe a été changé",
          "Le {when}, le mot de passe de votre compte a été changé. Si ce n’était pas vous, "
          "prévenez aussitôt le responsable du nœud : {link}\n"),
        W("Ваш пароль изменён",
          "{when} пароль вашей учётной записи был изменён. Если это были не вы, немедленно "
          "сообщите оператору узла: {link}\n"),
        W("Se cambió su contraseña",
          "El {when} se cambió la contraseña de su cuenta. Si no fue usted, avise de inmediato a "
          "quien administra el nodo: {link}\n"),
    },
    [NOTICE_RECOVERY] = {
        W("A recovery code was used to sign in",
          "On {when}, somebody signed in to your account with a recovery code. If it was not you, "
          "tell whoever runs the node at once: {link}\n"),
        W("تم استخدام رمز استرداد لتسجيل الدخول",
          "في {when} سجّل شخص ما الدخول إلى حسابك برمز استرداد. إذا لم تكن أنت، فأبلغ مشغّل العقدة "
          "فورًا: {link}\n"),
        W("有人使用恢复码登录",
          "有人于 {when} 使用恢复码登录了您的账户。如果不是您本人，请立即告知节点管理方：{link}\n"),
        W("Un code de secours a servi à se connecter",
          "Le {when}, quelqu’un s’est connecté à votre compte avec un code de secours. Si ce "
          "n’était pas vous, prévenez aussitôt le responsable du nœud : {link}\n"),
        W("Для входа использован код восстановления",
          "{when} в вашу учётную запись вошли с кодом восстановления. Если это были не вы, "
          "немедленно сообщите оператору узла: {link}\n"),
        W("Se usó un código de recuperación para entrar",
          "El {when}, alguien entró en su cuenta con un código de recuperación. Si no fue usted, "
          "avise de inmediato a quien administra el nodo: {link}\n"),
    },
    [NOTICE_PLACE] = {
        W("Your account was opened in a new place",
          "On {when}, somebody signed in to your account in a browser that was not used for it "
          "before. If it was not you, change your password and tell whoever runs the node at once: "
          "{link}\n"),
        W("تم فتح حسابك من مكان جديد",
          "في {when} سجّل شخص ما الدخول إلى حسابك من متصفح لم يُستخدم له من قبل. إذا لم تكن أنت، "
          "فغيّر كلمة مرورك وأبلغ مشغّل العقدة فورًا: {link}\n"),
        W("您的账户在新的设备上登录",
          "有人于 {when} 使用此前未曾用过的浏览器登录了您的账户。如果不是您本人，请更改密码并立即告知"
          "节点管理方：{link}\n"),
        W("Votre compte a été ouvert à un nouvel endroit",
          "Le {when}, quelqu’un s’est connecté à votre compte depuis un navigateur qui n’avait pas "
          "encore servi. Si ce n’était pas vous, changez votre mot de passe et prévenez aussitôt "
          "le responsable du nœud : {link}\n"),
        W("В вашу учётную запись вошли с нового места",
          "{when} в вашу учётную запись вошли из браузера, который раньше не использовался. Если "
          "это были не вы, смените пароль и немедленно сообщите оператору узла: {link}\n"),
        W("Su cuenta se abrió en un lugar nuevo",
          "El {when}, alguien entró en su cuenta desde un navegador que no se había usado antes. "
          "Si no fue usted, cambie su contraseña y avise de inmediato a quien administra el nodo: "
          "{link}\n"),
    },
    [NOTICE_WAYS] = {
        W("How you sign in was changed",
          "On {when}, a way to sign in to your account was added or removed: a passkey, one-time "
          "codes, or an identity from elsewhere. If it was not you, tell whoever runs the node at "
          "once: {link}\n"),
        W("تم تغيير طريقة تسجيل دخولك",
          "في {when} أُضيفت طريقة لتسجيل الدخول إلى حسابك أو أُزيلت: مفتاح مرور أو رموز لمرة "
          "واحدة أو "
          "هوية من جهة أخرى. إذا لم تكن أنت، فأبلغ مشغّل العقدة فورًا: {link}\n"),
        W("您的登录方式已更改",
          "您账户的一种登录方式已于 {when} 被添加或移除：通行密钥、一次性验证码或外部身份。"
          "如果不是您本人操作，请立即告知节点管理方：{link}\n"),
        W("Votre façon de vous connecter a changé",
          "Le {when}, une façon de vous connecter à votre compte a été ajoutée ou retirée : clé "
          "d’accès, codes à usage unique ou identité d’ailleurs. Si ce n’était pas vous, prévenez "
          "aussitôt le responsable du nœud : {link}\n"),
        W("Изменён способ входа",
          "{when} в вашей учётной записи добавлен или удалён способ входа: ключ доступа, "
          "одноразовые коды или внешняя учётная запись. Если это были не вы, немедленно сообщите "
          "оператору узла: {link}\n"),
        W("Cambió su manera de entrar",
          "El {when} se añadió o se quitó una manera de entrar en su cuenta: una llave de acceso, "
          "códigos de un solo uso o una identidad externa. Si no fue usted, avise de inmediato a "
          "quien administra el nodo: {link}\n"),
    },
    [NOTICE_CLOSED] = {
        W("Your account was closed",
          "On {when}, your account was closed. Your health record stays as it is. If it was "
          "not you, tell whoever runs the node at once: {link}\n"),
        W("تم إغلاق حسابك",
          "في {when} أُغلق حسابك. يبقى سجلك الصحي كما هو. "
          "إذا لم تكن أنت، فأبلغ "
          "مشغّل العقدة فورًا: {link}\n"),
        W("您的账户已关闭",
          "您的账户已于 {when} 关闭。您的健康档案保持不变。如果不是您本人操作，请立即告知节点"
          "管理方：{link}\n"),
        W("Votre compte a été fermé",
          "Le {when}, votre compte a été fermé. Votre dossier de santé reste "
          "tel quel. Si ce n’était pas vous, prévenez aussitôt le responsable du nœud : {link}\n"),
        W("Ваша учётная запись закрыта",
          "{when} ваша учётная запись была закрыта. Ваша медицинская карта остаётся "
          "без изменений. Если это были не вы, немедленно сообщите оператору узла: {link}\n"),
        W("Se cerró su cuenta",
          "El {when} se cerró su cuenta. Su historia clínica queda como está. Si "
          "no fue usted, avise de inmediato a quien administra el nodo: {link}\n"),
    },
    [NOTICE_CORRECTION] = {
        W("Your request for a correction was decided",
          "On {when}, a request of yours to correct your health record was decided. Sign in to see "
          "how, and why: {link}\n"),
        W("تم البت في طلب التصحيح الذي قدمته",
          "في {when} تم البت في طلبك لتصحيح سجلك الصحي. سجّل الدخول لمعرفة القرار وسببه: {link}\n"),
        W("您的更正请求已有决定",
          "您更正健康档案的请求已于 {when} 作出决定。请登录查看结果和理由：{link}\n"),
        W("Votre demande de correction a été traitée",
          "Le {when}, une de vos demandes de correction de votre dossier de santé a été traitée. "
          "Connectez-vous pour voir la décision et ses raisons : {link}\n"),
        W("По вашему запросу на исправление принято решение",
          "{when} по вашему запросу на исправление медицинской карты принято решение. Войдите, "
          "чтобы узнать какое и почему: {link}\n"),
        W("Se decidió sobre su solicitud de corrección",
          "El {when} se decidió sobre una solicitud suya de corregir su historia clínica. Inicie "
          "sesión para ver la decisión y su motivo: {link}\n"),
    },
    [NOTICE_SIGNAL] = {
        W("A new signal of disease surveillance",
          "On {when}, a new signal of disease surveillance was raised. Sign in to see and assess "
          "it: {link}\n"),
        W("إشارة جديدة من ترصد الأمراض",
          "في {when} صدرت إشارة جديدة من ترصد الأمراض. سجّل الدخول للاطلاع عليها وتقييمها: "
          "{link}\n"),
        W("疾病监测出现新信号",
          "疾病监测于 {when} 发出新信号。请登录查看并评估：{link}\n"),
        W("Un nouveau signal de surveillance des maladies",
          "Le {when}, un nouveau signal de surveillance des maladies a été émis. Connectez-vous "
          "pour le voir et l’évaluer : {link}\n"),
        W("Новый сигнал эпидемиологического надзора",
          "{when} получен новый сигнал эпидемиологического надзора. Войдите, чтобы просмотреть и "
          "оценить его: {link}\n"),
        W("Una nueva señal de vigilancia de enfermedades",
          "El {when} se emitió una nueva señal de vigilancia de enfermedades. Inicie sesión para "
          "verla y evaluarla: {link}\n"),
    },
#undef W
};
/* clang-format on */

static const char *const languages[] = {
#define X(name) #name,
    NOTIFY_LANGUAGES(X)
#undef X
};

const char *notify_language_name(enum notify_language language)
{
    return languages[language];
}

bool notify_language_of(struct str tag, enum notify_language *ret)
{
    ptrdiff_t dash = tag.p ? str_find(tag, '-') : -1;

    tag = dash < 0 ? tag : str_head(tag, (size_t)dash);
    for (size_t i = 0; i < ARRAY_LEN(languages); i++)
        if (tag.p && str_eq_nocase(tag, str_c(languages[i]))) {
            *ret = (enum notify_language)i;
            return true;
        }
    return false;
}

void notify_subject(struct sb *out, enum notice_kind kind, enum notify_language language)
{
    sb_str(out, table[kind][language].subject);
}

/* "2026-11-26 08:15 UTC" reads in every language. */
static void write_when(struct sb *out, int64_t when_ms)
{
    char at[CLOCK_INSTANT_MAX];

    clock_format(when_ms, at);
    sb_fmt(out, "%.10s %.5s UTC", at, at + 11);
}

void notify_text(struct sb *out, enum notice_kind kind, enum notify_language language,
                 int64_t when_ms, struct str link, struct str secret)
{
    struct str rest = table[kind][language].text;

    while (rest.n) {
        ptrdiff_t at = str_find(rest, '{');

        sb_str(out, at < 0 ? rest : str_head(rest, (size_t)at));
        if (at < 0)
            return;
        rest = str_from(rest, (size_t)at + 1);
        if (str_starts(rest, STR("when"))) {
            write_when(out, when_ms);
        } else {
            sb_str(out, link);
            if (secret.n) {
                sb_lit(out, "/auth/setup?secret=");
                sb_uri(out, secret);
            }
        }
        at = str_find(rest, '}');
        rest = str_from(rest, (size_t)at + 1);
    }
}
