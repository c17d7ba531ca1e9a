"""Small files as hospitals have them. Everything in them is made up."""

import random
from pathlib import Path

NAMES = ("Quastenflosser", "Windhose")
"""What may be told of nobody."""


def german(folder: Path) -> list[Path]:
    """Write a German export: semicolons, decimal commas, dots in dates, cp1252."""
    chance = random.Random(1)  # noqa: S311
    people = [f"Q{number:05d}" for number in range(60)]

    def day(year: int) -> str:
        return f"{chance.randint(13, 28)}.{chance.randint(1, 12):02d}.{year}"

    patients = ["PatNr;Nachname;Geschlecht;Geb.-Datum;Histologie;OP-Datum;Aktivität (MBq)"]
    patients += [
        ";".join(
            (
                who,
                f"{chance.choice(NAMES)}{at}",
                chance.choice("MWW"),
                day(chance.randint(1930, 1990)),
                chance.choice(("papillär", "follikulär", "k.A.")),
                day(2014),
                chance.choice(("3700,5", "5550", "k.A.")),
            )
        )
        for at, who in enumerate(people)
    ]
    labs = ["LaborNr;PatNr;Abnahmedatum;Parameter;Wert;Einheit;Stimuliert;Bemerkung"]
    labs += [
        ";".join(
            (
                f"L{at:06d}",
                chance.choice(people),
                day(2015),
                chance.choice(("Tg", "TSH", "Tg-AK")),
                chance.choice(("<0,1", "12,5", ">300")),
                chance.choice(("ng/ml", "mU/l")),
                chance.choice(("ja", "nein")),
                f"Frau {chance.choice(NAMES)} rief am {at}. an",
            )
        )
        for at in range(300)
    ]
    (folder / "patienten.csv").write_bytes("\r\n".join(patients).encode("cp1252"))
    (folder / "labor.csv").write_bytes("\r\n".join(labs).encode("cp1252"))
    return [folder / "patienten.csv", folder / "labor.csv"]


def form(folder: Path) -> list[Path]:
    """Write a wide form: one record per patient, courses repeated to the right."""
    chance = random.Random(2)  # noqa: S311
    head = ["record_id", "sex", "dob", "histology", "lung_metastasis"]
    for n in (1, 2, 3):
        head += [f"rai_date_{n}", f"rai_dose_{n}", f"tg_{n}", f"tg_date_{n}"]
    rows = [",".join(head)]
    for who in range(1, 61):
        row = [str(who), chance.choice("12"), f"19{chance.randint(30, 90)}-05-06", "PTC"]
        row.append(chance.choice("01"))
        for n in (1, 2, 3):
            dose = chance.choice(("100 mCi", "150mi", "3.7 GBq"))
            given = [f"201{n}-03-04", dose, str(chance.randint(1, 9999)), f"201{n}-02-01"]
            row += given if chance.random() < 0.7 else [""] * 4
        rows.append(",".join(row))
    (folder / "form.csv").write_text("\n".join(rows))
    return [folder / "form.csv"]


def chinese(folder: Path) -> list[Path]:
    """Write a Chinese export in GB 18030."""
    rows = ["患者编号,姓名,性别,出生日期,病理类型,手术日期,碘131治疗日期,碘131剂量(mCi),摄碘情况"]
    rows += [
        f"{10000 + at},{NAMES[0]}{at},{'男女'[at % 2]},1970-01-{at % 28 + 1:02d},"
        f"{('乳头状癌', '滤泡状癌')[at % 2]},2014年3月{at % 28 + 1}日,2015/4/{at % 28 + 1},"
        f"{80 + at},{('全部摄碘', '不摄碘', '不详')[at % 3]}"
        for at in range(60)
    ]
    (folder / "基本信息.csv").write_bytes("\n".join(rows).encode("gb18030"))
    return [folder / "基本信息.csv"]


def three_headers(folder: Path) -> list[Path]:
    """Write an English file with three header lines, tabs, and days in the place of dates."""
    rows = [
        "patient_uuid\tgender\tbirth_days_to\tdx_year\thistologic_diagnosis\tpathologic_m",
        "patient_uuid\tgender\tdays_to_birth\tyear_of_diagnosis\thistological_type\tM",
        "CDE_ID:\tCDE_ID:1\tCDE_ID:2\tCDE_ID:3\tCDE_ID:4\tCDE_ID:5",
    ]
    rows += [
        f"AB-{7919 * at:06X}\t{('MALE', 'FEMALE')[at % 2]}\t-{9000 + at}\t{2000 + at % 9}\t"
        f"Papillary carcinoma, usual\t{('M0', 'M1', '[Not Available]')[at % 3]}"
        for at in range(60)
    ]
    (folder / "clinical_patient.txt").write_text("\n".join(rows))
    return [folder / "clinical_patient.txt"]


ALL = (german, form, chinese, three_headers)
