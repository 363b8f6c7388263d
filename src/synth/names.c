#include "synth/names.h"

#define N(native, latin)                                                                           \
    {                                                                                              \
        native, latin                                                                              \
    }
#define L(native)                                                                                  \
    {                                                                                              \
        native, NULL                                                                               \
    }

/* clang-format off */
const struct culture cultures[] = {
    {
        .language = "fr", .language_name = "French", .space = " ",
        .male = {L("Amadou"), L("Ousmane"), L("Kwabena"), L("Chukwuemeka"), L("Sékou"),
                 L("Ibrahima"), L("Kofi"), L("Modibo"), L("Adébáyọ̀"), L("Moussa"), L("Yaw"),
                 L("Cheikh"), L("Olúṣẹ́gun"), L("Boubacar"), L("Túndé"), L("Emeka"), L("Mamadou"),
                 L("Issa"), L("Kwame"), L("Zoumana")},
        .female = {L("Aïssatou"), L("Fatoumata"), L("Abena"), L("Ngozi"), L("Olúkẹ́mi"),
                   L("Mariama"), L("Ama"), L("Khadidiatou"), L("Chiamaka"), L("Aminata"),
                   L("Rokhaya"), L("Adwoa"), L("Ìyábọ̀"), L("Bintou"), L("Nkechi"), L("Awa"),
                   L("Folákẹ́"), L("Oumou"), L("Efua"), L("Djénéba")},
        .family = {L("Diallo"), L("Traoré"), L("Konaté"), L("Mensah"), L("Okafor"), L("Adéyẹmí"),
                   L("Ouédraogo"), L("Keïta"), L("Owusu"), L("Sow"), L("N'Diaye"), L("Cissé"),
                   L("Ọbáfẹ́mi"), L("Boateng"), L("Nwosu"), L("Coulibaly"), L("Bâ"), L("Sangaré"),
                   L("Asante"), L("Kouyaté")},
    },
    {
        .language = "sw", .language_name = "Swahili", .space = " ",
        .male = {L("Baraka"), L("Juma"), L("Thabo"), L("Sipho"), L("Tendai"), L("Jabulani"),
                 L("Kamau"), L("Otieno"), L("Mwangi"), L("Tatenda"), L("Hamisi"), L("Kibwana"),
                 L("Lwazi"), L("Mpho"), L("Farai"), L("Okello"), L("Mugisha"), L("Habimana"),
                 L("Bakari"), L("Simba")},
        .female = {L("Zawadi"), L("Neema"), L("Nomvula"), L("Thandiwe"), L("Rudo"), L("Wanjiru"),
                   L("Achieng"), L("Nyambura"), L("Rehema"), L("Asha"), L("Lerato"), L("Palesa"),
                   L("Chipo"), L("Akinyi"), L("Uwimana"), L("Mwajuma"), L("Nandi"), L("Subira"),
                   L("Tumaini"), L("Furaha")},
        .family = {L("Mwakyusa"), L("Odhiambo"), L("Ndlovu"), L("Dlamini"), L("Moyo"), L("Kariuki"),
                   L("Ochieng"), L("Mutasa"), L("Mokoena"), L("Nkosi"), L("Banda"), L("Phiri"),
                   L("Mwangala"), L("Tembo"), L("Chirwa"), L("Njoroge"), L("Wambua"),
                   L("Niyonzima"), L("Ssali"), L("Mhlongo")},
    },
    {
        .language = "es", .language_name = "Spanish", .space = " ",
        .male = {L("José"), L("Martín"), L("Ángel"), L("João"), L("Iñaki"), L("Raúl"), L("André"),
                 L("Tomás"), L("Joaquín"), L("Luís"), L("Óscar"), L("Sebastián"), L("Inácio"),
                 L("Germán"), L("Nicolás"), L("Estêvão"), L("Hernán"), L("Gonçalo"), L("Simón"),
                 L("Matías")},
        .female = {L("María"), L("Inés"), L("Conceição"), L("Sofía"), L("Lucía"), L("Zoé"),
                   L("Begoña"), L("Ana"), L("Rocío"), L("Belén"), L("Luísa"), L("Verónica"),
                   L("Ángela"), L("Mónica"), L("Assunção"), L("Noémia"), L("Ximena"), L("Pilar"),
                   L("Graça"), L("Itzel")},
        .family = {L("Muñoz"), L("García"), L("Gonçalves"), L("Peña"), L("Ibáñez"), L("Magalhães"),
                   L("Núñez"), L("Simões"), L("Álvarez"), L("Quispe"), L("Mamani"), L("Guimarães"),
                   L("Fernández"), L("Araújo"), L("Yáñez"), L("Castillo"), L("Assis"), L("Ordóñez"),
                   L("Cabral"), L("Bolaños")},
    },
    {
        .language = "ar", .language_name = "Arabic", .space = " ",
        .male = {N("محمد", "Muhammad"), N("أحمد", "Ahmad"), N("علي", "Ali"), N("حسن", "Hasan"),
                 N("يوسف", "Yusuf"), N("إبراهيم", "Ibrahim"), N("خالد", "Khalid"),
                 N("عمر", "Umar"), N("مصطفى", "Mustafa"), N("عبد الله", "Abdullah"),
                 N("سعيد", "Said"), N("طارق", "Tariq"), N("كريم", "Karim"), N("سمير", "Samir"),
                 N("نبيل", "Nabil"), N("ياسين", "Yasin"), N("هشام", "Hisham"), N("أنور", "Anwar"),
                 N("فيصل", "Faisal"), N("رشيد", "Rashid")},
        .female = {N("فاطمة", "Fatima"), N("عائشة", "Aisha"), N("مريم", "Maryam"),
                   N("زينب", "Zaynab"), N("خديجة", "Khadija"), N("ليلى", "Layla"),
                   N("نور", "Nur"), N("سلمى", "Salma"), N("هدى", "Huda"), N("أمينة", "Amina"),
                   N("رقية", "Ruqayya"), N("سعاد", "Suad"), N("نادية", "Nadia"),
                   N("إيمان", "Iman"), N("رانيا", "Raniya"), N("ياسمين", "Yasmin"),
                   N("حليمة", "Halima"), N("سارة", "Sara"), N("جميلة", "Jamila"),
                   N("وفاء", "Wafa")},
        .family = {N("الحسيني", "al-Husayni"), N("بن سالم", "bin Salim"),
                   N("المنصوري", "al-Mansuri"), N("حداد", "Haddad"), N("النجار", "an-Najjar"),
                   N("الخطيب", "al-Khatib"), N("بوزيد", "Bouzid"), N("الإدريسي", "al-Idrisi"),
                   N("الطاهر", "at-Tahir"), N("عثمان", "Uthman"), N("البشير", "al-Bashir"),
                   N("شريف", "Sharif"), N("الفاسي", "al-Fasi"), N("قاسم", "Qasim"),
                   N("الصديق", "as-Siddiq"), N("العمري", "al-Umari"), N("درويش", "Darwish"),
                   N("زيدان", "Zaydan"), N("المصري", "al-Masri"), N("حمدان", "Hamdan")},
    },
    {
        .language = "am", .language_name = "Amharic", .space = " ", .rule = FAMILY_PATRONYMIC,
        .male = {N("አበበ", "Abebe"), N("ከበደ", "Kebede"), N("ተስፋዬ", "Tesfaye"),
                 N("ሰለሞን", "Selomon"), N("ዳዊት", "Dawit"), N("ሃይሌ", "Haile"),
                 N("በቀለ", "Bekele"), N("ግርማ", "Girma"), N("አለሙ", "Alemu"),
                 N("ታደሰ", "Tadesse"), N("ጌታቸው", "Getachew"), N("ዮሐንስ", "Yohannes"),
                 N("መኮንን", "Mekonnen"), N("ሙሉጌታ", "Mulugeta"), N("ብርሃኑ", "Birhanu"),
                 N("ኃይሉ", "Hailu"), N("ፍቃዱ", "Fikadu"), N("ደሳለኝ", "Desalegn"),
                 N("አሰፋ", "Assefa"), N("ቴዎድሮስ", "Tewodros")},
        .female = {N("አልማዝ", "Almaz"), N("ትዕግስት", "Tigist"), N("ሰላማዊት", "Selamawit"),
                   N("ብርቱካን", "Birtukan"), N("ማርታ", "Marta"), N("ሄለን", "Helen"),
                   N("ጽዮን", "Tsion"), N("እመቤት", "Emebet"), N("ሕይወት", "Hiwot"),
                   N("ዘነበች", "Zenebech"), N("አስቴር", "Aster"), N("ፀሐይ", "Tsehay"),
                   N("ወይንሸት", "Weynshet"), N("መሰረት", "Meseret"), N("ገነት", "Genet"),
                   N("ሮማን", "Roman"), N("ብዙነሽ", "Bizunesh"), N("ሳባ", "Saba"),
                   N("ቤተልሔም", "Betelhem"), N("ራሔል", "Rahel")},
    },
    {
        .language = "ru", .language_name = "Russian", .space = " ", .rule = FAMILY_FEMININE,
        .male = {N("Иван", "Ivan"), N("Алексей", "Aleksei"), N("Дмитрий", "Dmitrii"),
                 N("Сергей", "Sergei"), N("Николай", "Nikolai"), N("Андрей", "Andrei"),
                 N("Тимур", "Timur"), N("Руслан", "Ruslan"), N("Богдан", "Bogdan"),
                 N("Олег", "Oleg"), N("Михаил", "Mikhail"), N("Павел", "Pavel"),
                 N("Виктор", "Viktor"), N("Азамат", "Azamat"), N("Ерлан", "Erlan"),
                 N("Борис", "Boris"), N("Антон", "Anton"), N("Фёдор", "Fedor"),
                 N("Нурлан", "Nurlan"), N("Глеб", "Gleb")},
        .female = {N("Анна", "Anna"), N("Мария", "Mariia"), N("Ольга", "Olga"),
                   N("Наталья", "Natalia"), N("Екатерина", "Ekaterina"), N("Ирина", "Irina"),
                   N("Светлана", "Svetlana"), N("Татьяна", "Tatiana"), N("Айгуль", "Aigul"),
                   N("Елена", "Elena"), N("Юлия", "Iuliia"), N("Дарья", "Daria"),
                   N("Вера", "Vera"), N("Надежда", "Nadezhda"), N("Ксения", "Kseniia"),
                   N("Жанна", "Zhanna"), N("Людмила", "Liudmila"), N("Софья", "Sofia"),
                   N("Гульнара", "Gulnara"), N("Полина", "Polina")},
        .family = {N("Иванов", "Ivanov"), N("Смирнов", "Smirnov"), N("Кузнецов", "Kuznetsov"),
                   N("Попов", "Popov"), N("Соколов", "Sokolov"), N("Морозов", "Morozov"),
                   N("Волков", "Volkov"), N("Ахметов", "Akhmetov"), N("Козлов", "Kozlov"),
                   N("Новиков", "Novikov"), N("Фёдоров", "Fedorov"), N("Орлов", "Orlov"),
                   N("Каримов", "Karimov"), N("Белов", "Belov"), N("Щербаков", "Shcherbakov"),
                   N("Юсупов", "Iusupov"), N("Зайцев", "Zaitsev"), N("Лебедев", "Lebedev"),
                   N("Исаев", "Isaev"), N("Жуков", "Zhukov")},
    },
    {
        .language = "zh", .language_name = "Chinese", .space = "", .family_first = true,
        .ideographic = true,
        .male = {N("伟", "Wei"), N("建国", "Jianguo"), N("志强", "Zhiqiang"), N("明", "Ming"),
                 N("浩然", "Haoran"), N("军", "Jun"), N("子轩", "Zixuan"), N("勇", "Yong"),
                 N("文杰", "Wenjie"), N("磊", "Lei"), N("国栋", "Guodong"), N("宇航", "Yuhang"),
                 N("海涛", "Haitao"), N("俊", "Jun"), N("天佑", "Tianyou"), N("家豪", "Jiahao"),
                 N("晨", "Chen"), N("永康", "Yongkang"), N("博文", "Bowen"), N("鹏", "Peng")},
        .female = {N("芳", "Fang"), N("秀英", "Xiuying"), N("丽", "Li"), N("雨桐", "Yutong"),
                   N("静", "Jing"), N("思雨", "Siyu"), N("桂兰", "Guilan"), N("敏", "Min"),
                   N("欣怡", "Xinyi"), N("玉兰", "Yulan"), N("娜", "Na"), N("美玲", "Meiling"),
                   N("佳怡", "Jiayi"), N("晓燕", "Xiaoyan"), N("雪", "Xue"), N("春梅", "Chunmei"),
                   N("梓涵", "Zihan"), N("慧", "Hui"), N("月娥", "Yue'e"), N("诗涵", "Shihan")},
        .family = {N("王", "Wang"), N("李", "Li"), N("张", "Zhang"), N("刘", "Liu"),
                   N("陈", "Chen"), N("杨", "Yang"), N("黄", "Huang"), N("赵", "Zhao"),
                   N("吴", "Wu"), N("周", "Zhou"), N("徐", "Xu"), N("孙", "Sun"), N("马", "Ma"),
                   N("朱", "Zhu"), N("胡", "Hu"), N("郭", "Guo"), N("何", "He"), N("林", "Lin"),
                   N("欧阳", "Ouyang"), N("司马", "Sima")},
    },
    {
        .language = "hi", .language_name = "Hindi", .space = " ",
        .male = {N("राम", "Ram"), N("अर्जुन", "Arjun"), N("सुरेश", "Suresh"), N("विजय", "Vijay"),
                 N("अमित", "Amit"), N("राजेश", "Rajesh"), N("कृष्ण", "Krishna"),
                 N("मोहन", "Mohan"), N("अनिल", "Anil"), N("दीपक", "Dipak"),
                 N("हरीश", "Harish"), N("प्रकाश", "Prakash"), N("आदित्य", "Aditya"),
                 N("गोपाल", "Gopal"), N("संजय", "Sanjay"), N("बिकाश", "Bikash"),
                 N("निराजन", "Niranjan"), N("रोहन", "Rohan"), N("महेश", "Mahesh"),
                 N("युवराज", "Yuvraj")},
        .female = {N("सीता", "Sita"), N("लक्ष्मी", "Lakshmi"), N("प्रिया", "Priya"),
                   N("अनिता", "Anita"), N("सुनीता", "Sunita"), N("राधा", "Radha"),
                   N("मीना", "Mina"), N("काव्या", "Kavya"), N("सरस्वती", "Sarasvati"),
                   N("पूजा", "Puja"), N("आशा", "Asha"), N("गीता", "Gita"),
                   N("नेहा", "Neha"), N("कमला", "Kamala"), N("रेखा", "Rekha"),
                   N("शांति", "Shanti"), N("दिव्या", "Divya"), N("ज्योति", "Jyoti"),
                   N("सृष्टि", "Srishti"), N("उषा", "Usha")},
        .family = {N("शर्मा", "Sharma"), N("सिंह", "Singh"), N("थापा", "Thapa"),
                   N("वर्मा", "Varma"), N("गुप्ता", "Gupta"), N("यादव", "Yadav"),
                   N("मिश्रा", "Mishra"), N("गुरुङ", "Gurung"), N("चौधरी", "Chaudhari"),
                   N("तामाङ", "Tamang"), N("पटेल", "Patel"), N("जोशी", "Joshi"),
                   N("अधिकारी", "Adhikari"), N("नायर", "Nayar"), N("राई", "Rai"),
                   N("तिवारी", "Tivari"), N("श्रेष्ठ", "Shrestha"), N("दास", "Das"),
                   N("कुमार", "Kumar"), N("बसु", "Basu")},
    },
    {
        .language = "vi", .language_name = "Vietnamese", .space = " ", .family_first = true,
        .male = {L("Văn Hùng"), L("Minh Đức"), L("Quốc Bảo"), L("Hữu Phước"), L("Tuấn Anh"),
                 L("Đình Phúc"), L("Gia Huy"), L("Thành Đạt"), L("Ngọc Sơn"), L("Trọng Nghĩa"),
                 L("Xuân Trường"), L("Hoàng Long"), L("Công Phượng"), L("Bá Thiện"),
                 L("Nhật Minh"), L("Khắc Việt"), L("Duy Khánh"), L("Đăng Khoa"), L("Tiến Dũng"),
                 L("Phú Quý")},
        .female = {L("Thị Hoa"), L("Thu Hằng"), L("Ngọc Ánh"), L("Thị Kim Liên"), L("Mỹ Duyên"),
                   L("Bích Ngọc"), L("Thanh Thảo"), L("Thị Lụa"), L("Phương Uyên"), L("Quỳnh Như"),
                   L("Hồng Nhung"), L("Thùy Trang"), L("Diễm My"), L("Khánh Huyền"), L("Lan Hương"),
                   L("Thị Nở"), L("Tú Uyên"), L("Cẩm Tú"), L("Tường Vi"), L("Ái Vân")},
        .family = {L("Nguyễn"), L("Trần"), L("Lê"), L("Phạm"), L("Huỳnh"), L("Phan"), L("Vũ"),
                   L("Võ"), L("Đặng"), L("Bùi"), L("Đỗ"), L("Hồ"), L("Ngô"), L("Dương"), L("Lý"),
                   L("Đinh"), L("Trịnh"), L("Mai"), L("Tô"), L("Lương")},
    },
};
/* clang-format on */

const size_t n_cultures = ARRAY_LEN(cultures);

/* Invented places: a beginning, a middle and an end, in four manners. */
struct manner {
    const char *first[12], *middle[6], *last[12];
};

/* clang-format off */
static const struct manner manners[] = {
    {{"Ba", "Ki", "Mbo", "Nda", "Lu", "Ta", "Zo", "Wa", "Ngu", "Si", "Ru", "Ma"},
     {"ran", "li", "som", "ka", "ven", "yu"},
     {"du", "ra", "mba", "la", "ni", "ko", "ndi", "zi", "ti", "wa", "nga", "lo"}},
    {{"Val", "Mor", "Ser", "Cor", "Tor", "Al", "Mir", "Bel", "Es", "Par", "Lun", "Quer"},
     {"a", "e", "i", "ve", "ma", "do"},
     {"nada", "leza", "rillo", "losa", "rando", "mera", "cillas", "rosa", "teca", "lún", "ñedo",
      "rín"}},
    {{"Gar", "Dou", "Tin", "Bir", "Zag", "Kan", "Mal", "Sob", "Far", "Oul", "Tem", "Haj"},
     {"a", "ou", "é", "i", "bé", "da"},
     {"gou", "rem", "dja", "tou", "kala", "zir", "mane", "bal", "rout", "ssa", "lak", "néma"}},
    {{"Bel", "Nov", "Vis", "Gor", "Lub", "Rad", "Ost", "Kam", "Zel", "Vol", "Mir", "Tal"},
     {"o", "i", "a", "en", "ov", "ys"},
     {"vka", "nitsa", "lin", "dor", "mir", "rod", "šte", "bor", "sk", "lava", "hov", "gai"}},
};
/* clang-format on */

/* Which manner a culture's region names its places in. */
static const unsigned char culture_manner[ARRAY_LEN(cultures)] = {2, 0, 1, 2, 0, 3, 3, 0, 1};

void place_draw(struct rng *r, size_t culture, char ret[PLACE_MAX])
{
    const struct manner *m = &manners[culture_manner[culture]];
    const char *parts[3];
    size_t n = 0;

    parts[0] = m->first[rng_below(r, ARRAY_LEN(m->first))];
    parts[1] = m->middle[rng_below(r, ARRAY_LEN(m->middle))];
    parts[2] = m->last[rng_below(r, ARRAY_LEN(m->last))];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        size_t part = strlen(parts[i]);

        assert(n + part < PLACE_MAX);
        memcpy(ret + n, parts[i], part);
        n += part;
    }
    ret[n] = '\0';
}

struct str street_name(uint64_t n)
{
    static const char *const names[] = {
        "Market Road",         "Palm Street",   "Mission Lane", "River Road",
        "Independence Avenue", "School Street", "Baobab Road",  "Old Port Street",
        "Hill Road",           "Station Road",  "Mango Lane",   "Lighthouse Street",
        "Mosque Road",         "Chapel Road",   "Mill Street",  "Quarry Road",
    };

    return str_c(names[n % ARRAY_LEN(names)]);
}
