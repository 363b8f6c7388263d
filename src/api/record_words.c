/* record_words.c - the words of a record's page, in the order of NOTIFY_LANGUAGES. */
#include "api/record_int.h"

/* clang-format off */
static const struct str words[WORD_COUNT][NOTIFY_LANGUAGE_COUNT] = {
    [WORD_TITLE] = {
        STR("Health record"),
        STR("السجل الصحي"),
        STR("健康档案"),
        STR("Dossier de santé"),
        STR("Медицинская карта"),
        STR("Historia clínica"),
    },
    [WORD_MADE] = {
        STR("As it stood on"),
        STR("كما كان في"),
        STR("截至"),
        STR("Tel qu’au"),
        STR("По состоянию на"),
        STR("Tal como estaba el"),
    },
    [WORD_ALL] = {
        STR("All that was written"),
        STR("كل ما كُتب"),
        STR("全部内容"),
        STR("Tout ce qui a été écrit"),
        STR("Всё, что записано"),
        STR("Todo lo escrito"),
    },
    [WORD_OTHER] = {
        STR("Other"),
        STR("أخرى"),
        STR("其他"),
        STR("Autres"),
        STR("Прочее"),
        STR("Otros"),
    },
};

static const struct {
    struct str type, names[NOTIFY_LANGUAGE_COUNT];
} sections[RECORD_SECTIONS] = {
    {STR("Patient"), {
        STR("Person"),
        STR("الشخص"),
        STR("个人"),
        STR("Personne"),
        STR("Человек"),
        STR("Persona"),
    }},
    {STR("AllergyIntolerance"), {
        STR("Allergies"),
        STR("الحساسية"),
        STR("过敏"),
        STR("Allergies"),
        STR("Аллергии"),
        STR("Alergias"),
    }},
    {STR("Condition"), {
        STR("Illnesses and problems"),
        STR("الأمراض والمشكلات"),
        STR("疾病与问题"),
        STR("Maladies et problèmes"),
        STR("Болезни и проблемы"),
        STR("Enfermedades y problemas"),
    }},
    {STR("MedicationRequest"), {
        STR("Prescriptions"),
        STR("الوصفات"),
        STR("处方"),
        STR("Ordonnances"),
        STR("Назначения"),
        STR("Recetas"),
    }},
    {STR("MedicationStatement"), {
        STR("Medicines"),
        STR("الأدوية"),
        STR("用药"),
        STR("Médicaments"),
        STR("Лекарства"),
        STR("Medicamentos"),
    }},
    {STR("Immunization"), {
        STR("Vaccinations"),
        STR("التطعيمات"),
        STR("疫苗接种"),
        STR("Vaccinations"),
        STR("Прививки"),
        STR("Vacunas"),
    }},
    {STR("Procedure"), {
        STR("Procedures"),
        STR("الإجراءات"),
        STR("诊疗操作"),
        STR("Actes"),
        STR("Процедуры"),
        STR("Procedimientos"),
    }},
    {STR("Observation"), {
        STR("Measurements and findings"),
        STR("القياسات والنتائج"),
        STR("测量与检查结果"),
        STR("Mesures et constats"),
        STR("Измерения и наблюдения"),
        STR("Mediciones y hallazgos"),
    }},
    {STR("DiagnosticReport"), {
        STR("Reports"),
        STR("التقارير"),
        STR("报告"),
        STR("Comptes rendus"),
        STR("Заключения"),
        STR("Informes"),
    }},
    {STR("Encounter"), {
        STR("Visits"),
        STR("الزيارات"),
        STR("就诊"),
        STR("Consultations"),
        STR("Посещения"),
        STR("Consultas"),
    }},
    {STR("CarePlan"), {
        STR("Plans of care"),
        STR("خطط الرعاية"),
        STR("照护计划"),
        STR("Plans de soins"),
        STR("Планы лечения"),
        STR("Planes de cuidados"),
    }},
    {STR("DocumentReference"), {
        STR("Documents"),
        STR("المستندات"),
        STR("文件"),
        STR("Documents"),
        STR("Документы"),
        STR("Documentos"),
    }},
    {STR("Consent"), {
        STR("Consents"),
        STR("الموافقات"),
        STR("同意书"),
        STR("Consentements"),
        STR("Согласия"),
        STR("Consentimientos"),
    }},
};
/* clang-format on */

struct str record_word(enum record_word word, enum notify_language language)
{
    return words[word][language];
}

struct str record_section(size_t i, enum notify_language language)
{
    return i < RECORD_SECTIONS ? sections[i].names[language] : record_word(WORD_OTHER, language);
}

size_t record_section_of(struct str type)
{
    size_t i = 0;

    while (i < RECORD_SECTIONS && !str_eq(sections[i].type, type))
        i++;
    return i;
}
