#!/usr/bin/env python3
"""The demo country's forms, as Questionnaires: demo_forms.py            a line each, to import
                                                demo_forms.py visit      the portal's own

The portal's own form is there where a country has none: portal/src/data/visit.json.
"""
import json
import sys

HOME = 'https://kivandra.example/fhir/Questionnaire/'
CORE = 'http://hl7.org/fhir/StructureDefinition/'
SDC = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-'
LOINC = 'http://loinc.org'
UCUM = 'http://unitsofmeasure.org'
ICD11 = 'http://id.who.int/icd/release/11/mms'
CVX = 'http://hl7.org/fhir/sid/cvx'
SIGN = 'https://kivandra.example/fhir/CodeSystem/danger-sign'
LAUNCH = 'http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext'
HL7 = 'http://terminology.hl7.org/CodeSystem/'
LANGUAGES = ('fr', 'es', 'ar', 'ru', 'zh')

# English, and the same in the other languages, in their order.
WORDS = {
    'General visit': ('Visite générale', 'Visita general', 'زيارة عامة', 'Обычный приём', '普通就诊'),
    'Antenatal visit': ('Visite prénatale', 'Visita prenatal', 'زيارة متابعة الحمل',
                        'Визит при беременности', '产前检查'),
    'Child visit': ("Visite d'enfant", 'Visita del niño', 'زيارة طفل', 'Приём ребёнка', '儿童就诊'),
    'Vaccination': ('Vaccination', 'Vacunación', 'تطعيم', 'Прививка', '接种疫苗'),
    'Malaria test': ('Test du paludisme', 'Prueba de malaria', 'اختبار الملاريا',
                     'Тест на малярию', '疟疾检测'),
    'Measured': ('Mesures', 'Medido', 'القياسات', 'Измерено', '测量'),
    'Temperature': ('Température', 'Temperatura', 'درجة الحرارة', 'Температура', '体温'),
    'Weight': ('Poids', 'Peso', 'الوزن', 'Вес', '体重'),
    'Height': ('Taille', 'Talla', 'الطول', 'Рост', '身高'),
    'Breaths a minute': ('Respirations par minute', 'Respiraciones por minuto',
                         'عدد الأنفاس في الدقيقة', 'Вдохов в минуту', '每分钟呼吸次数'),
    'Upper blood pressure': ('Tension, chiffre haut', 'Presión alta (sistólica)',
                             'ضغط الدم الانقباضي', 'Верхнее давление', '高压'),
    'Lower blood pressure': ('Tension, chiffre bas', 'Presión baja (diastólica)',
                             'ضغط الدم الانبساطي', 'Нижнее давление', '低压'),
    'Height of the womb': ('Hauteur utérine', 'Altura uterina', 'ارتفاع الرحم',
                           'Высота дна матки', '宫高'),
    'Haemoglobin': ('Hémoglobine', 'Hemoglobina', 'الهيموغلوبين', 'Гемоглобин', '血红蛋白'),
    'Due date': ('Date prévue de naissance', 'Fecha prevista del parto', 'موعد الولادة المتوقع',
                 'Дата родов', '预产期'),
    'HIV test': ('Test du VIH', 'Prueba de VIH', 'اختبار فيروس نقص المناعة', 'Тест на ВИЧ',
                 '艾滋病病毒检测'),
    'Result of the rapid test': ('Résultat du test rapide', 'Resultado de la prueba rápida',
                                 'نتيجة الاختبار السريع', 'Результат экспресс-теста',
                                 '快速检测结果'),
    'Positive': ('Positif', 'Positivo', 'إيجابي', 'Положительный', '阳性'),
    'Negative': ('Négatif', 'Negativo', 'سلبي', 'Отрицательный', '阴性'),
    'Danger signs': ('Signes de danger', 'Señales de peligro', 'علامات الخطر',
                     'Опасные признаки', '危险征象'),
    'Bleeding': ('Saignement', 'Sangrado', 'نزيف', 'Кровотечение', '出血'),
    'Strong headache': ('Fort mal de tête', 'Dolor de cabeza fuerte', 'صداع شديد',
                        'Сильная головная боль', '剧烈头痛'),
    'Fits': ('Convulsions', 'Convulsiones', 'تشنجات', 'Судороги', '抽搐'),
    'The baby moves less': ('Le bébé bouge moins', 'El bebé se mueve menos', 'حركة الجنين أقل',
                            'Ребёнок шевелится меньше', '胎动减少'),
    'Cannot drink': ('Ne peut pas boire', 'No puede beber', 'لا يستطيع الشرب', 'Не может пить',
                     '不能喝水'),
    'Vomits everything': ('Vomit tout', 'Vomita todo', 'يتقيأ كل شيء', 'Постоянная рвота',
                          '吃什么吐什么'),
    'Cannot be woken': ('Ne se réveille pas', 'No despierta', 'لا يستيقظ', 'Не просыпается',
                        '叫不醒'),
    'Refer this person today.': ("Référez cette personne aujourd'hui.",
                                 'Refiera a esta persona hoy.', 'أحِل هذا الشخص اليوم.',
                                 'Направьте сегодня в больницу.', '今天转诊。'),
    'What the person has': ('Ce que la personne a', 'Qué tiene la persona', 'ممّا يشكو الشخص',
                            'Что с человеком', '病情'),
    'In a few words': ('En quelques mots', 'En pocas palabras', 'بكلمات قليلة',
                       'В нескольких словах', '简要说明'),
    'Vaccine': ('Vaccin', 'Vacuna', 'اللقاح', 'Вакцина', '疫苗'),
    'Number of the dose': ('Numéro de la dose', 'Número de dosis', 'رقم الجرعة', 'Номер дозы',
                           '第几剂'),
    'Lot on the vial': ('Lot sur le flacon', 'Lote del frasco', 'رقم التشغيلة على القارورة',
                        'Серия на флаконе', '瓶上批号'),
    'Use before': ('À utiliser avant', 'Usar antes de', 'يستعمل قبل', 'Годен до', '有效期'),
    'Illness': ('Maladie', 'Enfermedad', 'المرض', 'Болезнь', '疾病'),
    'Malaria': ('Paludisme', 'Malaria', 'ملاريا', 'Малярия', '疟疾'),
    'Severe malaria': ('Paludisme grave', 'Malaria grave', 'ملاريا وخيمة', 'Тяжёлая малярия',
                       '重症疟疾'),
}
VACCINES = (('19', 'BCG'), ('08', 'Hep B'), ('178', 'OPV'), ('198', 'DTP-HepB-Hib'),
            ('133', 'PCV 13'), ('119', 'Rotavirus'), ('10', 'IPV'), ('04', 'MR'),
            ('37', 'Yellow fever'), ('62', 'HPV'), ('35', 'Tetanus'))


def ext(url, **value):
    return {'url': url, **value}


def said(name, text):
    """{name: text} with its translations beside it."""
    words = WORDS[text]
    assert len(words) == len(LANGUAGES), text
    return {name: text, '_' + name: {'extension': [
        ext(CORE + 'translation', extension=[ext('lang', valueCode=tag),
                                             ext('content', valueString=word)])
        for tag, word in zip(LANGUAGES, words)]}}


def path(expression):
    return {'language': 'text/fhirpath', 'expression': expression}


def item(link, kind, text, *extensions, **more):
    one = {'linkId': link, **said('text', text), 'type': kind, **more}
    if extensions:
        one = {'extension': list(extensions), **one}
    return one


def number(link, text, code, display, unit, ucum, least, most, places=1, kept=None):
    """A value that is measured; with `kept`, the last one of so many days is there already."""
    more = [ext(SDC + 'observationLinkPeriod', valueDuration={
        'value': kept, 'unit': 'days', 'system': UCUM, 'code': 'd'})] if kept else []
    return item(link, 'decimal', text,
                ext(CORE + 'questionnaire-unit', valueCoding={
                    'system': UCUM, 'code': ucum, 'display': unit}),
                ext(CORE + 'minValue', valueDecimal=least),
                ext(CORE + 'maxValue', valueDecimal=most),
                ext(CORE + 'maxDecimalPlaces', valueInteger=places), *more,
                code=[{'system': LOINC, 'code': code, 'display': display}])


def option(system, code, text, is_said=True):
    return {'valueCoding': {'system': system, 'code': code,
                            **(said('display', text) if is_said else {'display': text})}}


def measured(link, *items):
    return item(link, 'group', 'Measured', ext(SDC + 'observationExtract', valueBoolean=True),
                ext(SDC + 'observation-extract-category',
                    valueCodeableConcept=concept('observation-category', 'vital-signs')),
                item=list(items))


def test_result(link, text, code, display):
    """Positive or negative, as an observation of the laboratory."""
    return item(link, 'choice', text, ext(SDC + 'observationExtract', valueBoolean=True),
                ext(SDC + 'observation-extract-category',
                    valueCodeableConcept=concept('observation-category', 'laboratory')),
                code=[{'system': LOINC, 'code': code, 'display': display}],
                answerOption=[option(LOINC, 'LA6576-8', 'Positive'),
                              option(LOINC, 'LA6577-6', 'Negative')])


def signs(*texts):
    """Danger signs, and what follows of any."""
    options = [option(SIGN, text.lower().replace(' ', '-'), text) for text in texts]
    return (item('signs', 'choice', 'Danger signs', repeats=True, answerOption=options),
            item('refer', 'display', 'Refer this person today.',
                 enableWhen=[{'question': 'signs', 'operator': 'exists', 'answerBoolean': True}]))


def value_of(kind, element, **value):
    return ext(SDC + 'definitionExtractValue', extension=[
        ext('definition', valueUri=f'{CORE}{kind}#{kind}.{element}'),
        ext('expression', valueExpression=path(value['expression'])) if 'expression' in value
        else ext('fixed-value', **value)])


def concept(system, code):
    return {'coding': [{'system': HL7 + system, 'code': code}]}


def condition(link, text, *items, **more):
    """A group whose answers are a problem of this visit."""
    return item(link, 'group', text,
                ext(SDC + 'definitionExtract',
                    extension=[ext('definition', valueCanonical=CORE + 'Condition')]),
                value_of('Condition', 'clinicalStatus',
                         valueCodeableConcept=concept('condition-clinical', 'active')),
                value_of('Condition', 'category',
                         valueCodeableConcept=concept('condition-category',
                                                      'encounter-diagnosis')),
                value_of('Condition', 'subject', expression='%resource.subject'),
                value_of('Condition', 'encounter', expression='%resource.encounter'),
                value_of('Condition', 'recordedDate', expression='%resource.authored'),
                item=list(items), **more)


def problem():
    return condition('problem', 'What the person has',
                     item('what', 'string', 'In a few words', maxLength=200,
                          definition=CORE + 'Condition#Condition.code'))


def form(name, title, *items):
    return {'resourceType': 'Questionnaire', 'id': name,
            'extension': [ext(SDC + 'launchContext', extension=[
                ext('name', valueCoding={'system': LAUNCH, 'code': 'patient'}),
                ext('type', valueCode='Patient')])],
            'url': HOME + name, 'version': '1', 'name': title.title().replace(' ', ''),
            **said('title', title), 'status': 'active', 'subjectType': ['Patient'],
            'item': list(items)}


TEMPERATURE = number('temperature', 'Temperature', '8310-5', 'Body temperature', '°C', 'Cel',
                     30, 45)
WEIGHT = number('weight', 'Weight', '29463-7', 'Body weight', 'kg', 'kg', 0.3, 400, 2)
HEIGHT = number('height', 'Height', '8302-2', 'Body height', 'cm', 'cm', 20, 260)
BREATHS = number('breaths', 'Breaths a minute', '9279-1', 'Respiratory rate', '/min', '/min',
                 4, 120, 0)


def vaccination():
    kind = 'Immunization'
    dose = f'{CORE}{kind}#{kind}.'
    return item('dose', 'group', 'Vaccination',
                ext(SDC + 'definitionExtract',
                    extension=[ext('definition', valueCanonical=CORE + kind)]),
                value_of(kind, 'status', valueCode='completed'),
                value_of(kind, 'patient', expression='%resource.subject'),
                value_of(kind, 'encounter', expression='%resource.encounter'),
                value_of(kind, 'occurrence[x]', expression='%resource.authored'),
                value_of(kind, 'primarySource', valueBoolean=True),
                repeats=True, required=True,
                item=[item('vaccine', 'choice', 'Vaccine', required=True,
                           definition=dose + 'vaccineCode',
                           answerOption=[option(CVX, code, name, False)
                                         for code, name in VACCINES]),
                      item('number', 'integer', 'Number of the dose',
                           ext(CORE + 'minValue', valueInteger=1),
                           ext(CORE + 'maxValue', valueInteger=9),
                           definition=dose + 'protocolApplied.doseNumber[x]'),
                      item('lot', 'string', 'Lot on the vial', maxLength=40,
                           definition=dose + 'lotNumber'),
                      item('expires', 'date', 'Use before', definition=dose + 'expirationDate')])


def forms():
    positive = [{'question': 'result', 'operator': '=',
                 'answerCoding': {'system': LOINC, 'code': 'LA6576-8'}}]
    yield form('antenatal', 'Antenatal visit',
               item('due', 'date', 'Due date',
                    ext(SDC + 'observationLinkPeriod', valueDuration={
                        'value': 300, 'unit': 'days', 'system': UCUM, 'code': 'd'}),
                    ext(SDC + 'observationExtract', valueBoolean=True),
                    code=[{'system': LOINC, 'code': '11778-8',
                           'display': 'Delivery date Estimated'}]),
               measured('measured', WEIGHT,
                        number('upper', 'Upper blood pressure', '8480-6', 'Systolic blood pressure',
                               'mmHg', 'mm[Hg]', 40, 300, 0),
                        number('lower', 'Lower blood pressure', '8462-4',
                               'Diastolic blood pressure', 'mmHg', 'mm[Hg]', 20, 200, 0),
                        number('womb', 'Height of the womb', '11881-0',
                               'Uterus Fundal height Tape measure', 'cm', 'cm', 5, 60),
                        number('hb', 'Haemoglobin', '718-7', 'Hemoglobin [Mass/volume] in Blood',
                               'g/dL', 'g/dL', 2, 25)),
               test_result('hiv', 'HIV test', '68961-2',
                           'HIV 1 Ab [Presence] in Serum, Plasma or Blood by Rapid immunoassay'),
               *signs('Bleeding', 'Strong headache', 'Fits', 'The baby moves less'), problem())
    yield form('child', 'Child visit',
               *signs('Cannot drink', 'Vomits everything', 'Fits', 'Cannot be woken'),
               measured('measured', TEMPERATURE, WEIGHT, HEIGHT, BREATHS), problem())
    yield form('vaccination', 'Vaccination', vaccination())
    yield form('malaria', 'Malaria test',
               measured('measured', TEMPERATURE),
               item('test', 'group', 'Malaria test', required=True, item=[
                   test_result('result', 'Result of the rapid test', '70569-9',
                               'Plasmodium sp Ag [Identifier] in Blood by Rapid immunoassay')
                   | {'required': True}]),
               condition('case', 'Illness',
                         item('illness', 'choice', 'Illness', required=True,
                              definition=CORE + 'Condition#Condition.code',
                              answerOption=[option(ICD11, '1F40.Z', 'Malaria'),
                                            option(ICD11, '1F40.Y', 'Severe malaria')]),
                         enableWhen=positive),
               item('refer', 'display', 'Refer this person today.', enableWhen=[
                   {'question': 'illness', 'operator': '=',
                    'answerCoding': {'system': ICD11, 'code': '1F40.Y'}}]))


def visit():
    own = form('visit', 'General visit',
               measured('measured', TEMPERATURE, WEIGHT, HEIGHT, BREATHS), problem())
    own['url'] = 'urn:carnet:questionnaire:visit'
    return own


def main():
    if sys.argv[1:] == ['visit']:
        json.dump(visit(), sys.stdout, ensure_ascii=False, separators=(',', ':'))
        print()
        return
    for one in forms():
        print(json.dumps(one, ensure_ascii=False, separators=(',', ':')))


if __name__ == '__main__':
    main()
