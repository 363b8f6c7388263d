/* page_text.c - the words of the pages, a row a text, in the order of PAGE_LANGUAGES. */
#include "trust/page.h"

/* clang-format off */
static const struct str texts[PAGE_TEXT_COUNT][PAGE_LANGUAGE_COUNT] = {
#define S(s) {s, sizeof s - 1}
    [TEXT_SIGN_IN] = {
        S("Sign in"),
        S("تسجيل الدخول"),
        S("登录"),
        S("Se connecter"),
        S("Вход"),
        S("Iniciar sesión"),
    },
    [TEXT_LOGIN] = {
        S("Login name"),
        S("اسم المستخدم"),
        S("用户名"),
        S("Identifiant"),
        S("Имя пользователя"),
        S("Nombre de usuario"),
    },
    [TEXT_PASSWORD] = {
        S("Password"),
        S("كلمة المرور"),
        S("密码"),
        S("Mot de passe"),
        S("Пароль"),
        S("Contraseña"),
    },
    [TEXT_CONTINUE] = {
        S("Continue"),
        S("متابعة"),
        S("继续"),
        S("Continuer"),
        S("Продолжить"),
        S("Continuar"),
    },
    [TEXT_CODE] = {
        S("One-time code"),
        S("رمز لمرة واحدة"),
        S("一次性验证码"),
        S("Code à usage unique"),
        S("Одноразовый код"),
        S("Código de un solo uso"),
    },
    [TEXT_CODE_HELP] = {
        S("The six digits of your authenticator app, or one of your recovery codes."),
        S("الأرقام الستة من تطبيق المصادقة أو أحد رموز الاسترداد."),
        S("身份验证应用中的六位数字，或一个恢复码。"),
        S("Les six chiffres de votre application d’authentification, ou l’un de vos "
          "codes de secours."),
        S("Шесть цифр из приложения-аутентификатора или один из кодов восстановления."),
        S("Los seis dígitos de su aplicación de autenticación o uno de sus códigos de "
          "recuperación."),
    },
    [TEXT_PICK] = {
        S("Choose a patient"),
        S("اختيار المريض"),
        S("选择患者"),
        S("Choisir un patient"),
        S("Выберите пациента"),
        S("Elegir un paciente"),
    },
    [TEXT_PICK_HELP] = {
        S("Part of a name, or an identifier."),
        S("جزء من الاسم أو رقم تعريف."),
        S("姓名的一部分或证件号码。"),
        S("Une partie du nom, ou un identifiant."),
        S("Часть имени или идентификатор."),
        S("Parte de un nombre o un identificador."),
    },
    [TEXT_FIND] = {
        S("Find"),
        S("بحث"),
        S("查找"),
        S("Rechercher"),
        S("Найти"),
        S("Buscar"),
    },
    [TEXT_NOBODY] = {
        S("Nobody was found."),
        S("لم يتم العثور على أحد."),
        S("未找到任何人。"),
        S("Personne n’a été trouvé."),
        S("Никто не найден."),
        S("No se encontró a nadie."),
    },
    [TEXT_BORN] = {
        S("born"),
        S("تاريخ الميلاد"),
        S("出生日期"),
        S("né(e) le"),
        S("дата рождения"),
        S("nacimiento"),
    },
    [TEXT_CHOOSE] = {
        S("Choose"),
        S("اختيار"),
        S("选择"),
        S("Choisir"),
        S("Выбрать"),
        S("Elegir"),
    },
    [TEXT_APPROVE] = {
        S("Allow this app?"),
        S("هل تسمح لهذا التطبيق؟"),
        S("允许此应用？"),
        S("Autoriser cette application ?"),
        S("Разрешить этому приложению?"),
        S("¿Permitir esta aplicación?"),
    },
    [TEXT_ASKS] = {
        S("asks to:"),
        S("يطلب الإذن بما يلي:"),
        S("请求以下权限："),
        S("demande à :"),
        S("запрашивает разрешение:"),
        S("solicita:"),
    },
    [TEXT_FOR] = {
        S("Patient:"),
        S("المريض:"),
        S("患者："),
        S("Patient :"),
        S("Пациент:"),
        S("Paciente:"),
    },
    [TEXT_ALLOW] = {
        S("Allow"),
        S("السماح"),
        S("允许"),
        S("Autoriser"),
        S("Разрешить"),
        S("Permitir"),
    },
    [TEXT_DENY] = {
        S("Deny"),
        S("رفض"),
        S("拒绝"),
        S("Refuser"),
        S("Отклонить"),
        S("Denegar"),
    },
    [TEXT_READ] = {
        S("read"),
        S("قراءة"),
        S("读取"),
        S("lire"),
        S("читать"),
        S("leer"),
    },
    [TEXT_CHANGE] = {
        S("add, change or delete"),
        S("إضافة أو تعديل أو حذف"),
        S("添加、更改或删除"),
        S("ajouter, modifier ou supprimer"),
        S("добавлять, изменять или удалять"),
        S("añadir, modificar o eliminar"),
    },
    [TEXT_EVERYTHING] = {
        S("the whole record"),
        S("السجل كاملاً"),
        S("全部记录"),
        S("l’ensemble du dossier"),
        S("всю карту"),
        S("el historial completo"),
    },
    [TEXT_ONLY] = {
        S("only where"),
        S("فقط حيث"),
        S("仅限"),
        S("seulement si"),
        S("только если"),
        S("solo donde"),
    },
    [TEXT_OFFLINE] = {
        S("keep this access when you are away"),
        S("الاحتفاظ بهذا الإذن في غيابك"),
        S("在您离开后保持访问"),
        S("conserver cet accès en votre absence"),
        S("сохранять доступ в ваше отсутствие"),
        S("conservar este acceso cuando usted no esté"),
    },
    [TEXT_WHO] = {
        S("know who you are"),
        S("معرفة من أنت"),
        S("获知您的身份"),
        S("savoir qui vous êtes"),
        S("знать, кто вы"),
        S("saber quién es usted"),
    },
    [TEXT_SETUP] = {
        S("Set your password"),
        S("تعيين كلمة المرور"),
        S("设置密码"),
        S("Définir votre mot de passe"),
        S("Задайте пароль"),
        S("Establecer su contraseña"),
    },
    [TEXT_SECRET] = {
        S("One-time secret"),
        S("الرمز السري لمرة واحدة"),
        S("一次性密钥"),
        S("Secret à usage unique"),
        S("Одноразовый секрет"),
        S("Secreto de un solo uso"),
    },
    [TEXT_NEW_PASSWORD] = {
        S("New password"),
        S("كلمة المرور الجديدة"),
        S("新密码"),
        S("Nouveau mot de passe"),
        S("Новый пароль"),
        S("Nueva contraseña"),
    },
    [TEXT_PASSWORD_HELP] = {
        S("At least 12 characters; several words do."),
        S("12 حرفًا على الأقل؛ يمكن استخدام عدة كلمات."),
        S("至少 12 个字符；可以用几个词组成。"),
        S("Au moins 12 caractères ; plusieurs mots conviennent."),
        S("Не менее 12 знаков; подойдут несколько слов."),
        S("Al menos 12 caracteres; sirven varias palabras."),
    },
    [TEXT_SET] = {
        S("Set password"),
        S("تعيين"),
        S("设置"),
        S("Définir"),
        S("Задать"),
        S("Establecer"),
    },
    [TEXT_DONE] = {
        S("Your password is set"),
        S("تم تعيين كلمة المرور"),
        S("密码已设置"),
        S("Votre mot de passe est défini"),
        S("Пароль задан"),
        S("Su contraseña está establecida"),
    },
    [TEXT_DONE_HELP] = {
        S("You can now sign in through your app."),
        S("يمكنك الآن تسجيل الدخول عبر تطبيقك."),
        S("现在您可以通过应用登录。"),
        S("Vous pouvez maintenant vous connecter par votre application."),
        S("Теперь вы можете войти через приложение."),
        S("Ya puede iniciar sesión en su aplicación."),
    },
    [TEXT_FORGOT] = {
        S("Forgotten your password?"),
        S("هل نسيت كلمة المرور؟"),
        S("忘记密码？"),
        S("Mot de passe oublié ?"),
        S("Забыли пароль?"),
        S("¿Olvidó su contraseña?"),
    },
    [TEXT_FORGOT_HELP] = {
        S("Type your login name. A link to set a new password goes to the address in your "
          "record."),
        S("اكتب اسم المستخدم. سيُرسل رابط لتعيين كلمة مرور جديدة إلى العنوان المسجّل في سجلك."),
        S("请输入用户名。设置新密码的链接将发送到您档案中的地址。"),
        S("Saisissez votre identifiant. Un lien pour définir un nouveau mot de passe est "
          "envoyé à l’adresse de votre dossier."),
        S("Введите имя пользователя. Ссылка для нового пароля будет отправлена на адрес, "
          "указанный в вашей записи."),
        S("Escriba su nombre de usuario. Se envía un enlace para establecer una nueva "
          "contraseña a la dirección de su registro."),
    },
    [TEXT_FORGOT_DONE] = {
        S("If there is such an account and an address for it, a message is on its way."),
        S("إذا كان هذا الحساب موجودًا وله عنوان، فالرسالة في الطريق."),
        S("如果该账户存在且留有地址，消息已发出。"),
        S("S’il existe un tel compte avec une adresse, un message est en route."),
        S("Если такая учётная запись и адрес есть, сообщение уже отправлено."),
        S("Si existe tal cuenta con una dirección, el mensaje está en camino."),
    },
    [TEXT_CLOSE] = {
        S("Close my account"),
        S("إغلاق حسابي"),
        S("关闭我的账户"),
        S("Fermer mon compte"),
        S("Закрыть мою учётную запись"),
        S("Cerrar mi cuenta"),
    },
    [TEXT_CLOSE_HELP] = {
        S("Nobody can sign in with this account any more, and every app that you let in is sent "
          "away. It cannot be opened again. Your health record stays as it is: those who care for "
          "you still need it."),
        S("لن يتمكن أحد من تسجيل الدخول بهذا الحساب بعد الآن، وسيُلغى وصول كل "
          "تطبيق سمحت له. لا يمكن "
          "فتحه مجددًا. يبقى سجلك الصحي كما هو، فمن يعتنون بك لا يزالون بحاجة إليه."),
        S("此后任何人都无法使用该账户登录，您允许过的所有应用都将失去访问权限，且账户无法重新开启。"
          "您的健康档案保持不变：照护您的人仍然需要它。"),
        S("Plus personne ne pourra se connecter avec ce compte, et toute application que vous avez "
          "admise sera renvoyée. Il ne peut pas être rouvert. Votre dossier de santé reste tel "
          "quel : ceux qui vous soignent en ont encore besoin."),
        S("Никто больше не сможет войти с этой учётной записью, и все допущенные вами приложения "
          "потеряют доступ. Открыть её снова нельзя. Ваша медицинская карта остаётся без "
          "изменений: она по-прежнему нужна тем, кто вас лечит."),
        S("Nadie podrá volver a entrar con esta cuenta, y toda aplicación que usted admitió "
          "quedará fuera. No puede abrirse de nuevo. Su historia clínica queda como está: quienes "
          "le atienden aún la necesitan."),
    },
    [TEXT_CLOSE_CODE] = {
        S("Only if you sign in with one."),
        S("فقط إذا كنت تسجّل الدخول به."),
        S("仅当您登录时需要验证码。"),
        S("Seulement si vous vous connectez avec un code."),
        S("Только если вы входите с кодом."),
        S("Solo si usted entra con uno."),
    },
    [TEXT_CLOSED] = {
        S("Your account is closed"),
        S("تم إغلاق حسابك"),
        S("您的账户已关闭"),
        S("Votre compte est fermé"),
        S("Ваша учётная запись закрыта"),
        S("Su cuenta está cerrada"),
    },
    [TEXT_CLOSED_HELP] = {
        S("All sessions have ended. You can leave this page."),
        S("انتهت جميع الجلسات. يمكنك مغادرة هذه الصفحة."),
        S("所有会话均已结束。您可以离开此页面。"),
        S("Toutes les sessions ont pris fin. Vous pouvez quitter cette page."),
        S("Все сеансы завершены. Эту страницу можно закрыть."),
        S("Todas las sesiones han terminado. Puede salir de esta página."),
    },
    [TEXT_WRONG_PASSWORD] = {
        S("The login name or the password is not right."),
        S("اسم المستخدم أو كلمة المرور غير صحيحة."),
        S("用户名或密码不正确。"),
        S("L’identifiant ou le mot de passe n’est pas correct."),
        S("Неверное имя пользователя или пароль."),
        S("El nombre de usuario o la contraseña no son correctos."),
    },
    [TEXT_WRONG_CODE] = {
        S("The code is not right."),
        S("الرمز غير صحيح."),
        S("验证码不正确。"),
        S("Le code n’est pas correct."),
        S("Неверный код."),
        S("El código no es correcto."),
    },
    [TEXT_WAIT] = {
        S("Too many attempts. Wait some minutes, then try again."),
        S("محاولات كثيرة. انتظر بضع دقائق ثم حاول مرة أخرى."),
        S("尝试次数过多。请等待几分钟后再试。"),
        S("Trop de tentatives. Attendez quelques minutes, puis réessayez."),
        S("Слишком много попыток. Подождите несколько минут и попробуйте снова."),
        S("Demasiados intentos. Espere unos minutos e inténtelo de nuevo."),
    },
    [TEXT_WRONG_SECRET] = {
        S("The one-time secret is not known, was used, or has ended."),
        S("الرمز السري غير معروف أو استُخدم أو انتهت صلاحيته."),
        S("一次性密钥未知、已使用或已过期。"),
        S("Le secret à usage unique est inconnu, déjà utilisé ou expiré."),
        S("Одноразовый секрет неизвестен, использован или истёк."),
        S("El secreto de un solo uso no se conoce, ya se usó o caducó."),
    },
    [TEXT_WEAK_PASSWORD] = {
        S("The password is too short or too long."),
        S("كلمة المرور قصيرة جدًا أو طويلة جدًا."),
        S("密码太短或太长。"),
        S("Le mot de passe est trop court ou trop long."),
        S("Пароль слишком короткий или слишком длинный."),
        S("La contraseña es demasiado corta o demasiado larga."),
    },
    [TEXT_ERROR] = {
        S("This cannot go on"),
        S("تعذّرت المتابعة"),
        S("无法继续"),
        S("Impossible de continuer"),
        S("Продолжить невозможно"),
        S("No se puede continuar"),
    },
    [TEXT_ERROR_HELP] = {
        S("The app that sent you here asked for something that this node does not give. "
          "Tell its makers:"),
        S("التطبيق الذي أرسلك إلى هنا طلب ما لا تقدمه هذه العقدة. أخبر مطوّريه:"),
        S("将您引导至此的应用提出了本节点不支持的请求。请告知其开发者："),
        S("L’application qui vous a envoyé ici demande ce que ce nœud ne donne pas. "
          "Dites à ses auteurs :"),
        S("Приложение, направившее вас сюда, запросило то, чего этот узел не даёт. "
          "Сообщите его авторам:"),
        S("La aplicación que le envió aquí pidió algo que este nodo no ofrece. Dígaselo "
          "a sus autores:"),
    },
    [TEXT_ENDED] = {
        S("This page has ended. Go back to your app and begin again."),
        S("انتهت صلاحية هذه الصفحة. عُد إلى تطبيقك وابدأ من جديد."),
        S("此页面已失效。请返回应用重新开始。"),
        S("Cette page a expiré. Revenez à votre application et recommencez."),
        S("Срок действия страницы истёк. Вернитесь в приложение и начните снова."),
        S("Esta página ha caducado. Vuelva a su aplicación y empiece de nuevo."),
    },
#undef S
};
/* clang-format on */

struct str page_say(enum page_language language, enum page_text text)
{
    return texts[text][language];
}
