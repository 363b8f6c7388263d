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
    [TEXT_EID_WITH] = {
        S("Sign in with"),
        S("تسجيل الدخول باستخدام"),
        S("登录方式："),
        S("Se connecter avec"),
        S("Войти через"),
        S("Iniciar sesión con"),
    },
    [TEXT_EID_AWAY] = {
        S("The sign-in service does not answer right now. Try again in a moment, or sign "
          "in another way."),
        S("خدمة تسجيل الدخول لا تستجيب الآن. حاول مرة أخرى بعد قليل أو سجّل الدخول "
          "بطريقة أخرى."),
        S("登录服务目前没有响应。请稍后再试，或用其他方式登录。"),
        S("Le service de connexion ne répond pas pour l’instant. Réessayez dans un "
          "moment ou connectez-vous autrement."),
        S("Служба входа сейчас не отвечает. Повторите попытку чуть позже или войдите "
          "другим способом."),
        S("El servicio de inicio de sesión no responde ahora. Inténtelo de nuevo en un "
          "momento o inicie sesión de otra forma."),
    },
    [TEXT_EID_WRONG] = {
        S("The answer of the sign-in service could not be confirmed, so nobody was "
          "signed in. Please start again."),
        S("تعذّر التحقق من رد خدمة تسجيل الدخول، لذلك لم يتم تسجيل دخول أحد. يرجى البدء "
          "من جديد."),
        S("无法确认登录服务的答复，因此没有人登录。请重新开始。"),
        S("La réponse du service de connexion n’a pas pu être vérifiée ; personne n’a "
          "été connecté. Veuillez recommencer."),
        S("Ответ службы входа не удалось подтвердить, поэтому вход не выполнен. Начните "
          "заново."),
        S("No se pudo confirmar la respuesta del servicio de inicio de sesión, así que "
          "nadie inició sesión. Empiece de nuevo."),
    },
    [TEXT_EID_REFUSED] = {
        S("You did not sign in at the other service. You can try again, or sign in "
          "another way."),
        S("لم تسجّل الدخول في الخدمة الأخرى. يمكنك المحاولة مرة أخرى أو تسجيل الدخول "
          "بطريقة أخرى."),
        S("您没有在另一服务登录。您可以再试一次，或用其他方式登录。"),
        S("Vous ne vous êtes pas connecté à l’autre service. Vous pouvez réessayer ou "
          "vous connecter autrement."),
        S("Вы не вошли в другой службе. Можно попробовать ещё раз или войти другим "
          "способом."),
        S("No inició sesión en el otro servicio. Puede intentarlo de nuevo o iniciar "
          "sesión de otra forma."),
    },
    [TEXT_EID_WEAK] = {
        S("The way you signed in there is not secure enough for health records. Use a "
          "stronger one, such as your card or app."),
        S("الطريقة التي سجّلت بها الدخول هناك ليست آمنة بما يكفي للسجلات الصحية. استخدم "
          "طريقة أقوى مثل بطاقتك أو تطبيقك."),
        S("您在那里使用的登录方式对健康记录不够安全。请使用更安全的方式，例如您的证卡或应用。"),
        S("Votre mode de connexion n’est pas assez sûr pour des dossiers de santé. "
          "Utilisez-en un plus fort, comme votre carte ou votre application."),
        S("Способ входа недостаточно надёжен для медицинских записей. Используйте более "
          "надёжный, например карту или приложение."),
        S("La forma en que inició sesión allí no es lo bastante segura para historias "
          "clínicas. Use una más segura, como su tarjeta o su aplicación."),
    },
    [TEXT_EID_NOBODY] = {
        S("No account here belongs to this identity yet. Sign in another way and connect "
          "it on the page of your account, or ask at your clinic."),
        S("لا يوجد هنا حساب مرتبط بهذه الهوية بعد. سجّل الدخول بطريقة أخرى واربطها في "
          "صفحة حسابك، أو اسأل في عيادتك."),
        S("这里还没有账户与此身份相连。请用其他方式登录，在您的账户页面上连接它，或向您的诊所询问。"),
        S("Aucun compte ici n’est encore lié à cette identité. Connectez-vous autrement "
          "et liez-la sur la page de votre compte, ou demandez à votre centre de santé."),
        S("Здесь ещё нет учётной записи с этим удостоверением. Войдите другим способом и "
          "подключите его на странице учётной записи или обратитесь в клинику."),
        S("Ninguna cuenta pertenece todavía a esta identidad. Inicie sesión de otra "
          "forma y conéctela en la página de su cuenta, o pregunte en su clínica."),
    },
    [TEXT_EID_OTHER] = {
        S("This identity belongs to another account here."),
        S("هذه الهوية مرتبطة بحساب آخر هنا."),
        S("此身份属于这里的另一个账户。"),
        S("Cette identité appartient à un autre compte ici."),
        S("Это удостоверение связано с другой учётной записью."),
        S("Esta identidad pertenece a otra cuenta."),
    },
    [TEXT_EID_GO] = {
        S("You will sign in at another service, which then sends you back here."),
        S("ستسجّل الدخول في خدمة أخرى تعيدك بعد ذلك إلى هنا."),
        S("您将在另一服务登录，然后会被送回这里。"),
        S("Vous allez vous connecter à un autre service, qui vous renverra ensuite ici."),
        S("Вы войдёте в другой службе, которая затем вернёт вас сюда."),
        S("Iniciará sesión en otro servicio, que después le traerá de vuelta aquí."),
    },
    [TEXT_ACCOUNT] = {
        S("Your account"),
        S("حسابك"),
        S("您的账户"),
        S("Votre compte"),
        S("Ваша учётная запись"),
        S("Su cuenta"),
    },
    [TEXT_ACCOUNT_NONE] = {
        S("You are not signed in."),
        S("لم تسجّل الدخول."),
        S("您尚未登录。"),
        S("Vous n’êtes pas connecté."),
        S("Вы не вошли."),
        S("No ha iniciado sesión."),
    },
    [TEXT_ACCOUNT_OLD] = {
        S("You signed in a while ago. To change how you sign in, sign out and sign in "
          "again first."),
        S("مرّ وقت على تسجيل دخولك. لتغيير طريقة تسجيل الدخول، سجّل الخروج ثم ادخل من "
          "جديد."),
        S("您登录已有一段时间。要更改登录方式，请先退出再重新登录。"),
        S("Vous vous êtes connecté il y a un moment. Pour changer votre mode de "
          "connexion, déconnectez-vous puis reconnectez-vous d’abord."),
        S("Вы вошли довольно давно. Чтобы изменить способ входа, сначала выйдите и "
          "войдите снова."),
        S("Inició sesión hace un rato. Para cambiar cómo inicia sesión, primero ciérrela "
          "y vuelva a iniciarla."),
    },
    [TEXT_ACCOUNT_EID] = {
        S("Sign in with another service"),
        S("تسجيل الدخول عبر خدمة أخرى"),
        S("通过其他服务登录"),
        S("Se connecter avec un autre service"),
        S("Вход через другую службу"),
        S("Iniciar sesión con otro servicio"),
    },
    [TEXT_CONNECT] = {
        S("Connect"),
        S("ربط"),
        S("连接"),
        S("Lier"),
        S("Подключить"),
        S("Conectar"),
    },
    [TEXT_DISCONNECT] = {
        S("Disconnect"),
        S("إلغاء الربط"),
        S("断开"),
        S("Délier"),
        S("Отключить"),
        S("Desconectar"),
    },
    [TEXT_LEAVE] = {
        S("Sign out"),
        S("تسجيل الخروج"),
        S("退出登录"),
        S("Se déconnecter"),
        S("Выйти"),
        S("Cerrar sesión"),
    },
    [TEXT_LEFT] = {
        S("You are signed out here."),
        S("تم تسجيل خروجك من هنا."),
        S("您已在此退出登录。"),
        S("Vous êtes déconnecté ici."),
        S("Вы вышли отсюда."),
        S("Ha cerrado la sesión aquí."),
    },
    [TEXT_LEAVE_THERE] = {
        S("Sign out as well at"),
        S("سجّل الخروج أيضًا من"),
        S("同时退出："),
        S("Se déconnecter aussi de"),
        S("Выйти также из"),
        S("Cerrar sesión también en"),
    },
    [TEXT_CODES] = {
        S("One-time codes"),
        S("رموز لمرة واحدة"),
        S("一次性验证码"),
        S("Codes à usage unique"),
        S("Одноразовые коды"),
        S("Códigos de un solo uso"),
    },
    [TEXT_CODES_ON] = {
        S("Signing in asks for a code of your authenticator app."),
        S("يطلب تسجيل الدخول رمزًا من تطبيق المصادقة لديك."),
        S("登录时需要您的身份验证应用中的验证码。"),
        S("La connexion demande un code de votre application d’authentification."),
        S("При входе запрашивается код из приложения-аутентификатора."),
        S("Al iniciar sesión se pide un código de su aplicación de autenticación."),
    },
    [TEXT_CODES_OFF] = {
        S("Your password alone signs you in. A code of an app on your phone makes that "
          "safer."),
        S("كلمة المرور وحدها تكفي لتسجيل دخولك. رمز من تطبيق على هاتفك يجعل ذلك أكثر "
          "أمانًا."),
        S("目前只凭密码即可登录。手机应用中的验证码会更安全。"),
        S("Votre mot de passe suffit pour vous connecter. Un code d’une application de "
          "votre téléphone est plus sûr."),
        S("Для входа достаточно пароля. Код из приложения на телефоне делает вход "
          "безопаснее."),
        S("Su contraseña basta para iniciar sesión. Un código de una aplicación de su "
          "teléfono lo hace más seguro."),
    },
    [TEXT_CODES_BEGIN] = {
        S("Set up one-time codes"),
        S("إعداد الرموز لمرة واحدة"),
        S("设置一次性验证码"),
        S("Activer les codes à usage unique"),
        S("Настроить одноразовые коды"),
        S("Configurar códigos de un solo uso"),
    },
    [TEXT_CODES_KEY] = {
        S("Put this key into an authenticator app, then type the code that it shows."),
        S("أدخل هذا المفتاح في تطبيق مصادقة، ثم اكتب الرمز الذي يعرضه."),
        S("将此密钥输入身份验证应用，然后输入它显示的验证码。"),
        S("Saisissez cette clé dans une application d’authentification, puis tapez le "
          "code affiché."),
        S("Введите этот ключ в приложение-аутентификатор, затем наберите показанный код."),
        S("Introduzca esta clave en una aplicación de autenticación y escriba el código "
          "que muestre."),
    },
    [TEXT_CODES_OPEN] = {
        S("Open the app on this device"),
        S("فتح التطبيق على هذا الجهاز"),
        S("在此设备上打开应用"),
        S("Ouvrir l’application sur cet appareil"),
        S("Открыть приложение на этом устройстве"),
        S("Abrir la aplicación en este dispositivo"),
    },
    [TEXT_CODES_END] = {
        S("Switch one-time codes off"),
        S("إيقاف الرموز لمرة واحدة"),
        S("关闭一次性验证码"),
        S("Désactiver les codes à usage unique"),
        S("Отключить одноразовые коды"),
        S("Desactivar los códigos de un solo uso"),
    },
    [TEXT_PASSKEYS] = {
        S("Passkeys"),
        S("مفاتيح المرور"),
        S("通行密钥"),
        S("Clés d’accès"),
        S("Ключи доступа"),
        S("Llaves de acceso"),
    },
    [TEXT_PASSKEYS_HELP] = {
        S("With a passkey you sign in by your fingerprint, your face or the PIN of your "
          "device, without a password."),
        S("باستخدام مفتاح المرور يمكنك تسجيل الدخول ببصمة إصبعك أو وجهك أو رمز جهازك، بدون "
          "كلمة مرور."),
        S("使用通行密钥，您可以用指纹、面容或设备 PIN 码登录，无需密码。"),
        S("Avec une clé d’accès, vous vous connectez par votre empreinte, votre visage ou le "
          "code de votre appareil, sans mot de passe."),
        S("С ключом доступа вы входите по отпечатку пальца, лицу или PIN-коду устройства, "
          "без пароля."),
        S("Con una llave de acceso usted entra con su huella, su rostro o el PIN de su "
          "dispositivo, sin contraseña."),
    },
    [TEXT_PASSKEY_MAKE] = {
        S("Add a passkey"),
        S("إضافة مفتاح مرور"),
        S("添加通行密钥"),
        S("Ajouter une clé d’accès"),
        S("Добавить ключ доступа"),
        S("Añadir una llave de acceso"),
    },
    [TEXT_PASSKEY_END] = {
        S("Remove the passkey of"),
        S("إزالة مفتاح المرور بتاريخ"),
        S("删除此日期的通行密钥"),
        S("Supprimer la clé d’accès du"),
        S("Удалить ключ доступа от"),
        S("Quitar la llave de acceso del"),
    },
    [TEXT_PASSKEY_USE] = {
        S("Sign in with a passkey"),
        S("تسجيل الدخول بمفتاح مرور"),
        S("使用通行密钥登录"),
        S("Se connecter avec une clé d’accès"),
        S("Войти с ключом доступа"),
        S("Entrar con una llave de acceso"),
    },
    [TEXT_PASSKEY_NOT] = {
        S("This did not work with the passkey. Try again, or sign in another way."),
        S("لم ينجح ذلك بمفتاح المرور. حاول مرة أخرى، أو سجّل الدخول بطريقة أخرى."),
        S("通行密钥未能使用。请重试，或用其他方式登录。"),
        S("Cela n’a pas fonctionné avec la clé d’accès. Réessayez, ou connectez-vous autrement."),
        S("С ключом доступа не получилось. Попробуйте ещё раз или войдите другим способом."),
        S("No ha funcionado con la llave de acceso. Inténtelo de nuevo o entre de otra manera."),
    },
    [TEXT_RECOVERY] = {
        S("New recovery codes"),
        S("رموز استرداد جديدة"),
        S("新的恢复码"),
        S("Nouveaux codes de secours"),
        S("Новые коды восстановления"),
        S("Nuevos códigos de recuperación"),
    },
    [TEXT_RECOVERY_HELP] = {
        S("Write these down: they are shown once. Each signs you in once when you do not "
          "have your app."),
        S("دوّنها: لن تظهر مرة أخرى. كل رمز يسجّل دخولك مرة واحدة عندما لا يكون تطبيقك "
          "معك."),
        S("请记下来：它们只显示一次。没有应用时，每个恢复码可登录一次。"),
        S("Notez-les : ils ne s’affichent qu’une fois. Chacun vous connecte une fois "
          "sans votre application."),
        S("Запишите их: они показываются один раз. Каждый позволяет один раз войти без "
          "приложения."),
        S("Anótelos: solo se muestran una vez. Cada uno le permite entrar una vez sin su "
          "aplicación."),
    },
    [TEXT_APPS] = {
        S("Apps that you let in"),
        S("التطبيقات التي سمحت لها"),
        S("您授权的应用"),
        S("Applications que vous avez autorisées"),
        S("Приложения, которым вы дали доступ"),
        S("Aplicaciones que usted autorizó"),
    },
    [TEXT_APP_END] = {
        S("Take back what you gave"),
        S("إلغاء ما منحته لـ"),
        S("收回授权："),
        S("Retirer l’accès de"),
        S("Отозвать доступ у"),
        S("Retirar el acceso de"),
    },
    [TEXT_SESSIONS] = {
        S("Other browsers where you are signed in"),
        S("متصفحات أخرى سجّلت الدخول فيها"),
        S("您登录的其他浏览器"),
        S("Autres navigateurs où vous êtes connecté(e)"),
        S("Другие браузеры, где вы вошли"),
        S("Otros navegadores donde ha iniciado sesión"),
    },
    [TEXT_SESSION_END] = {
        S("Sign out the browser of"),
        S("تسجيل الخروج من المتصفح بتاريخ"),
        S("退出此时登录的浏览器："),
        S("Déconnecter le navigateur du"),
        S("Выйти в браузере от"),
        S("Cerrar la sesión del navegador del"),
    },
    [TEXT_EVERYWHERE] = {
        S("Sign out everywhere"),
        S("تسجيل الخروج من كل مكان"),
        S("在所有地方退出登录"),
        S("Se déconnecter partout"),
        S("Выйти везде"),
        S("Cerrar sesión en todas partes"),
    },
    [TEXT_EVERYWHERE_HELP] = {
        S("Ends every browser and every app that is signed in as you, this one too."),
        S("ينهي كل متصفح وكل تطبيق سجّل الدخول باسمك، وهذا أيضًا."),
        S("结束所有以您身份登录的浏览器和应用，包括此处。"),
        S("Met fin à tous les navigateurs et applications connectés à votre nom, y "
          "compris celui-ci."),
        S("Завершает все браузеры и приложения, вошедшие от вашего имени, включая этот."),
        S("Cierra todos los navegadores y aplicaciones con su sesión, también este."),
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
