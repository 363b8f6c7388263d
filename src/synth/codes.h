/* codes.h - every code that the synthetic country uses, as one table.
 *
 * ICD-11 MMS titles are those of the 2024-01 release (a test compares them with WHO's tabulation
 * where it is present); LOINC, CVX and ATC codes are quoted singly, with short descriptions of
 * ours.
 */
#ifndef SYNTH_CODES_H
#define SYNTH_CODES_H

#include "base/str.h"

#define SYS_ICD11 "http://id.who.int/icd/release/11/mms"
#define SYS_LOINC "http://loinc.org"
#define SYS_CVX "http://hl7.org/fhir/sid/cvx"
#define SYS_ATC "http://www.whocc.no/atc"
#define SYS_OWN "https://kivandra.example/fhir/CodeSystem/visit-type"

/*    name              system     code       display                                          */
#define CODES_ICD11(X) \
    X(ICD_CHOLERA,       SYS_ICD11, "1A00",    "Cholera") \
    X(ICD_TYPHOID,       SYS_ICD11, "1A07.Z",  "Typhoid fever, unspecified") \
    X(ICD_GASTRO,        SYS_ICD11, "1A40.Z",  "Infectious gastroenteritis or colitis without " \
                                               "specification of infectious agent") \
    X(ICD_TB_CONFIRMED,  SYS_ICD11, "1B10.0",  "Respiratory tuberculosis, confirmed") \
    X(ICD_TB_CLINICAL,   SYS_ICD11, "1B10.1",  "Respiratory tuberculosis, not confirmed") \
    X(ICD_MENINGITIS,    SYS_ICD11, "1C1C.0",  "Meningococcal meningitis") \
    X(ICD_HIV,           SYS_ICD11, "1C62.0",  "HIV disease clinical stage 1 without mention of " \
                                               "tuberculosis or malaria") \
    X(ICD_HIV_LATE,      SYS_ICD11, "1C62.2",  "HIV disease clinical stage 3 without mention of " \
                                               "tuberculosis or malaria") \
    X(ICD_DENGUE,        SYS_ICD11, "1D20",    "Dengue without warning signs") \
    X(ICD_YELLOW_FEVER,  SYS_ICD11, "1D47",    "Yellow fever") \
    X(ICD_INFLUENZA,     SYS_ICD11, "1E32",    "Influenza, virus not identified") \
    X(ICD_VARICELLA,     SYS_ICD11, "1E90.Z",  "Varicella, unspecified") \
    X(ICD_MEASLES,       SYS_ICD11, "1F03.0",  "Measles without complication") \
    X(ICD_RINGWORM,      SYS_ICD11, "1F28.Z",  "Dermatophytosis, unspecified") \
    X(ICD_MALARIA,       SYS_ICD11, "1F40.Z",  "Malaria due to Plasmodium falciparum, " \
                                               "unspecified") \
    X(ICD_MALARIA_SEVERE, SYS_ICD11, "1F40.Y", "Other severe and complicated Plasmodium " \
                                               "falciparum malaria") \
    X(ICD_SCHISTO,       SYS_ICD11, "1F86.Z",  "Schistosomiasis due to unspecified or unknown " \
                                               "Schistosoma species") \
    X(ICD_WORMS,         SYS_ICD11, "1F9Z",    "Helminthiases, unspecified") \
    X(ICD_SCABIES,       SYS_ICD11, "1G04.0",  "Classical scabies") \
    X(ICD_SEPSIS,        SYS_ICD11, "1G40",    "Sepsis without septic shock") \
    X(ICD_BREAST_CANCER, SYS_ICD11, "2C6Z",    "Malignant neoplasms of breast, unspecified") \
    X(ICD_CERVIX_CANCER, SYS_ICD11, "2C77.Z",  "Malignant neoplasms of cervix uteri, unspecified") \
    X(ICD_LIVER_CANCER,  SYS_ICD11, "2C12.0Z", "Malignant neoplasm of liver, unspecified") \
    X(ICD_ANAEMIA,       SYS_ICD11, "3A00.Z",  "Iron deficiency anaemia, unspecified") \
    X(ICD_SICKLE_CELL,   SYS_ICD11, "3A51.Z",  "Sickle cell disorders or other " \
                                               "haemoglobinopathies, unspecified") \
    X(ICD_DIABETES,      SYS_ICD11, "5A11",    "Type 2 diabetes mellitus") \
    X(ICD_MALNUTRITION,  SYS_ICD11, "5B52",    "Acute malnutrition in infants, children or " \
                                               "adolescents") \
    X(ICD_DEPRESSION,    SYS_ICD11, "6A7Z",    "Depressive disorders, unspecified") \
    X(ICD_EPILEPSY,      SYS_ICD11, "8A6Z",    "Epilepsy or seizures, unspecified") \
    X(ICD_STROKE,        SYS_ICD11, "8B20",    "Stroke not known if ischaemic or haemorrhagic") \
    X(ICD_CONJUNCTIVITIS, SYS_ICD11, "9A60.Z", "Conjunctivitis, unspecified") \
    X(ICD_OTITIS,        SYS_ICD11, "AB0Z",    "Otitis media, unspecified") \
    X(ICD_HYPERTENSION,  SYS_ICD11, "BA00.Z",  "Essential hypertension, unspecified") \
    X(ICD_INFARCTION,    SYS_ICD11, "BA41.Z",  "Acute myocardial infarction, unspecified") \
    X(ICD_HEART_FAILURE, SYS_ICD11, "BD1Z",    "Heart failure, unspecified") \
    X(ICD_URTI,          SYS_ICD11, "CA07.0",  "Acute upper respiratory infection, site " \
                                               "unspecified") \
    X(ICD_ASTHMA,        SYS_ICD11, "CA23.32", "Unspecified asthma, uncomplicated") \
    X(ICD_COPD,          SYS_ICD11, "CA22.Z",  "Chronic obstructive pulmonary disease, " \
                                               "unspecified") \
    X(ICD_PNEUMONIA,     SYS_ICD11, "CA40.Z",  "Pneumonia, organism unspecified") \
    X(ICD_BRONCHIOLITIS, SYS_ICD11, "CA41.Z",  "Acute bronchiolitis, unspecified") \
    X(ICD_GASTRITIS,     SYS_ICD11, "DA42.Z",  "Gastritis, unspecified") \
    X(ICD_CIRRHOSIS,     SYS_ICD11, "DB93.1",  "Hepatic cirrhosis") \
    X(ICD_KIDNEY,        SYS_ICD11, "GB61.Z",  "Chronic kidney disease, stage unspecified") \
    X(ICD_UTI,           SYS_ICD11, "GC08.Z",  "Urinary tract infection, site and agent not " \
                                               "specified") \
    X(ICD_MISCARRIAGE,   SYS_ICD11, "JA00.09", "Spontaneous abortion, complete or unspecified, " \
                                               "without complication") \
    X(ICD_PREECLAMPSIA,  SYS_ICD11, "JA24.Z",  "Pre-eclampsia, unspecified") \
    X(ICD_HAEMORRHAGE,   SYS_ICD11, "JA43.Z",  "Postpartum haemorrhage, unspecified") \
    X(ICD_VAGINAL_BIRTH, SYS_ICD11, "JB20.0",  "Spontaneous vertex delivery") \
    X(ICD_CAESAREAN,     SYS_ICD11, "JB22.Z",  "Single delivery by caesarean section, " \
                                               "unspecified") \
    X(ICD_PRETERM,       SYS_ICD11, "KA21.4Z", "Preterm newborn, unspecified") \
    X(ICD_NEONATAL_SEPSIS, SYS_ICD11, "KA60",  "Sepsis of fetus or newborn") \
    X(ICD_ASPHYXIA,      SYS_ICD11, "KB21.Z",  "Birth asphyxia, unspecified") \
    X(ICD_BACK_PAIN,     SYS_ICD11, "ME84.Z",  "Spinal pain, unspecified") \
    X(ICD_FEVER,         SYS_ICD11, "MG26",    "Fever of other or unknown origin") \
    X(ICD_DEATH_UNKNOWN, SYS_ICD11, "MH14",    "Other ill-defined and unspecified causes of " \
                                               "mortality") \
    X(ICD_INJURY,        SYS_ICD11, "ND56.Z",  "Unspecified injury to unspecified part of trunk, " \
                                               "limb or body region") \
    X(ICD_TRAFFIC,       SYS_ICD11, "PA0Z",    "Unintentional land transport traffic event " \
                                               "injuring a user of unspecified land transport") \
    X(ICD_PREGNANCY,     SYS_ICD11, "QA42.Z",  "Supervision of normal pregnancy, unspecified") \
    X(ICD_BORN_HOSPITAL, SYS_ICD11, "QA47.00", "Single liveborn infant, delivered vaginally") \
    X(ICD_BORN_CAESAREAN, SYS_ICD11, "QA47.01", "Single liveborn infant, delivered by caesarean") \
    X(ICD_BORN_OUTSIDE,  SYS_ICD11, "QA47.1",  "Singleton, born outside hospital")

#define CODES_LOINC(X) \
    X(LN_WEIGHT,         SYS_LOINC, "29463-7", "Body weight") \
    X(LN_HEIGHT,         SYS_LOINC, "8302-2",  "Body height") \
    X(LN_BIRTH_WEIGHT,   SYS_LOINC, "8339-4",  "Birth weight measured") \
    X(LN_TEMPERATURE,    SYS_LOINC, "8310-5",  "Body temperature") \
    X(LN_BREATHS,        SYS_LOINC, "9279-1",  "Respiratory rate") \
    X(LN_OXYGEN,         SYS_LOINC, "59408-5", "Oxygen saturation by pulse oximetry") \
    X(LN_BP,             SYS_LOINC, "85354-9", "Blood pressure panel") \
    X(LN_SYSTOLIC,       SYS_LOINC, "8480-6",  "Systolic blood pressure") \
    X(LN_DIASTOLIC,      SYS_LOINC, "8462-4",  "Diastolic blood pressure") \
    X(LN_HB,             SYS_LOINC, "718-7",   "Hemoglobin [Mass/volume] in Blood") \
    X(LN_FUNDAL,         SYS_LOINC, "11881-0", "Uterus Fundal height Tape measure") \
    X(LN_APGAR,          SYS_LOINC, "9274-2",  "5 minute Apgar Score") \
    X(LN_DUE_DATE,       SYS_LOINC, "11778-8", "Delivery date Estimated") \
    X(LN_HBA1C,          SYS_LOINC, "4548-4",  "Hemoglobin A1c/Hemoglobin.total in Blood") \
    X(LN_GLUCOSE,        SYS_LOINC, "2345-7",  "Glucose [Mass/volume] in Serum or Plasma") \
    X(LN_CREATININE,     SYS_LOINC, "2160-0",  "Creatinine [Mass/volume] in Serum or Plasma") \
    X(LN_CD4,            SYS_LOINC, "24467-3", "CD3+CD4+ (T4 helper) cells [#/volume] in Blood") \
    X(LN_VIRAL_LOAD,     SYS_LOINC, "20447-9", "HIV 1 RNA [#/volume] (viral load) in Serum or " \
                                               "Plasma") \
    X(LN_HIV_RAPID,      SYS_LOINC, "68961-2", "HIV 1 Ab [Presence] in Serum, Plasma or Blood by " \
                                               "Rapid immunoassay") \
    X(LN_MALARIA_RDT,    SYS_LOINC, "70569-9", "Plasmodium sp Ag [Identifier] in Blood by Rapid " \
                                               "immunoassay") \
    X(LN_SMEAR,          SYS_LOINC, "11545-1", "Microscopic observation [Identifier] in Specimen " \
                                               "by Acid fast stain") \
    X(LN_STOOL_CULTURE,  SYS_LOINC, "625-4",   "Bacteria identified in Stool by Culture") \
    X(LN_CSF_CULTURE,    SYS_LOINC, "606-4",   "Bacteria identified in Cerebral spinal fluid by " \
                                               "Culture") \
    X(LN_BLOOD_CULTURE,  SYS_LOINC, "600-7",   "Bacteria identified in Blood by Culture") \
    X(LN_DENGUE_NS1,     SYS_LOINC, "75377-2", "Dengue virus NS1 Ag [Presence] in Serum or " \
                                               "Plasma") \
    X(LN_POSITIVE,       SYS_LOINC, "LA6576-8", "Positive") \
    X(LN_NEGATIVE,       SYS_LOINC, "LA6577-6", "Negative")

#define CODES_CVX(X) \
    X(CVX_BCG,           SYS_CVX,   "19",      "BCG") \
    X(CVX_OPV,           SYS_CVX,   "178",     "OPV bivalent") \
    X(CVX_IPV,           SYS_CVX,   "10",      "IPV") \
    X(CVX_HEPB,          SYS_CVX,   "08",      "Hep B, adolescent or pediatric") \
    X(CVX_PENTA,         SYS_CVX,   "198",     "DTP-hepB-Hib Pentavalent Non-US") \
    X(CVX_PCV,           SYS_CVX,   "133",     "Pneumococcal conjugate PCV 13") \
    X(CVX_ROTA,          SYS_CVX,   "119",     "rotavirus, monovalent") \
    X(CVX_MR,            SYS_CVX,   "04",      "M/R") \
    X(CVX_YELLOW_FEVER,  SYS_CVX,   "37",      "yellow fever live") \
    X(CVX_HPV,           SYS_CVX,   "62",      "HPV, quadrivalent") \
    X(CVX_TETANUS,       SYS_CVX,   "35",      "tetanus toxoid, adsorbed")

#define CODES_ATC(X) \
    X(ATC_ORS,           SYS_ATC,   "A07CA",   "Oral rehydration salt formulations") \
    X(ATC_METFORMIN,     SYS_ATC,   "A10BA02", "metformin") \
    X(ATC_INSULIN,       SYS_ATC,   "A10AB01", "insulin (human)") \
    X(ATC_VITAMIN_A,     SYS_ATC,   "A11CA01", "retinol (vit A)") \
    X(ATC_ZINC,          SYS_ATC,   "A12CB01", "zinc sulfate") \
    X(ATC_OMEPRAZOLE,    SYS_ATC,   "A02BC01", "omeprazole") \
    X(ATC_IRON_FOLATE,   SYS_ATC,   "B03AD03", "ferrous sulfate and folic acid") \
    X(ATC_THIAZIDE,      SYS_ATC,   "C03AA03", "hydrochlorothiazide") \
    X(ATC_AMLODIPINE,    SYS_ATC,   "C08CA01", "amlodipine") \
    X(ATC_ENALAPRIL,     SYS_ATC,   "C09AA02", "enalapril") \
    X(ATC_CLOTRIMAZOLE,  SYS_ATC,   "D01AC01", "clotrimazole") \
    X(ATC_OXYTOCIN,      SYS_ATC,   "H01BB02", "oxytocin") \
    X(ATC_DOXYCYCLINE,   SYS_ATC,   "J01AA02", "doxycycline") \
    X(ATC_AMOXICILLIN,   SYS_ATC,   "J01CA04", "amoxicillin") \
    X(ATC_CEFTRIAXONE,   SYS_ATC,   "J01DD04", "ceftriaxone") \
    X(ATC_COTRIMOXAZOLE, SYS_ATC,   "J01EE01", "sulfamethoxazole and trimethoprim") \
    X(ATC_CIPROFLOXACIN, SYS_ATC,   "J01MA02", "ciprofloxacin") \
    X(ATC_ISONIAZID,     SYS_ATC,   "J04AC01", "isoniazid") \
    X(ATC_RH,            SYS_ATC,   "J04AM02", "rifampicin and isoniazid") \
    X(ATC_RHZE,          SYS_ATC,   "J04AM06", "rifampicin, pyrazinamide, ethambutol and " \
                                               "isoniazid") \
    X(ATC_TLD,           SYS_ATC,   "J05AR27", "lamivudine, tenofovir disoproxil and " \
                                               "dolutegravir") \
    X(ATC_IBUPROFEN,     SYS_ATC,   "M01AE01", "ibuprofen") \
    X(ATC_PARACETAMOL,   SYS_ATC,   "N02BE01", "paracetamol") \
    X(ATC_SP,            SYS_ATC,   "P01BD51", "pyrimethamine, combinations") \
    X(ATC_ARTESUNATE,    SYS_ATC,   "P01BE03", "artesunate") \
    X(ATC_AL,            SYS_ATC,   "P01BF01", "artemether and lumefantrine") \
    X(ATC_PRAZIQUANTEL,  SYS_ATC,   "P02BA01", "praziquantel") \
    X(ATC_ALBENDAZOLE,   SYS_ATC,   "P02CA03", "albendazole") \
    X(ATC_PERMETHRIN,    SYS_ATC,   "P03AC04", "permethrin") \
    X(ATC_SALBUTAMOL,    SYS_ATC,   "R03AC02", "salbutamol") \
    X(ATC_TETRACYCLINE,  SYS_ATC,   "S01AA09", "tetracycline eye ointment")

#define CODES_OWN(X) \
    X(VISIT_OUTPATIENT,  SYS_OWN,   "opd",      "Outpatient consultation") \
    X(VISIT_ADMISSION,   SYS_OWN,   "ipd",      "Admission") \
    X(VISIT_EMERGENCY,   SYS_OWN,   "emergency", "Emergency visit") \
    X(VISIT_VACCINATION, SYS_OWN,   "epi",      "Vaccination and growth visit") \
    X(VISIT_OUTREACH,    SYS_OWN,   "outreach", "Outreach session") \
    X(VISIT_ANC,         SYS_OWN,   "anc",      "Antenatal visit") \
    X(VISIT_DELIVERY,    SYS_OWN,   "delivery", "Delivery") \
    X(VISIT_POSTNATAL,   SYS_OWN,   "pnc",      "Postnatal visit") \
    X(VISIT_HIV,         SYS_OWN,   "hiv",      "HIV clinic visit") \
    X(VISIT_TB,          SYS_OWN,   "tb",       "Tuberculosis clinic visit") \
    X(VISIT_NCD,         SYS_OWN,   "ncd",      "Chronic disease clinic visit")

#define CODES(X) CODES_ICD11(X) CODES_LOINC(X) CODES_CVX(X) CODES_ATC(X) CODES_OWN(X)

enum code {
    CODE_NONE,
#define X(id, system, code, display) id,
    CODES(X)
#undef X
    CODE_COUNT
};

struct coded {
    struct str system, code, display;
    struct str concept; /* {"coding":[…]} as JSON */
};

extern const struct coded codes[CODE_COUNT];

#endif
