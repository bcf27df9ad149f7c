"""Exports of real sources in small files of exactly their layouts."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq


def geonames(path: Path, places) -> Path:
    """GeoNames' ``cities500.txt`` of places (name, country, admin1, lat, lon, population[, other names]); the path."""
    lines = [
        (i, name, name, "".join(others), lat, lon, "P", "PPL", country, "", admin1, "", "", "", people, *[""] * 4)
        for i, (name, country, admin1, lat, lon, people, *others) in enumerate(places)
    ]
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    return path


def institution(number, lon, lat, country="KE", city="Nairobi"):
    """An institution of OpenAlex."""
    return {
        "id": f"https://openalex.org/I{number}",
        "ror": "https://ror.org/02y9nww90",
        "display_name": f"University {number}",
        "country_code": country,
        "type": "education",
        "geo": {
            "city": city,
            "geonames_city_id": "184745",
            "region": None,
            "country_code": country,
            "country": "Kenya",
            "latitude": lat,
            "longitude": lon,
        },
    }


def authorship(*institutions, raw=True, countries=()):
    """An author of a work of OpenAlex."""
    named = [
        {
            "id": f"https://openalex.org/I{number}",
            "display_name": f"University {number}",
            "ror": None,
            "country_code": "KE",
            "type": "education",
        }
        for number in institutions
    ]
    return {
        "author_position": "first",
        "author": {"id": "https://openalex.org/A1", "display_name": "A", "orcid": None},
        "institutions": named,
        "countries": list(countries),
        "raw_affiliation_strings": ["somewhere"] if raw else [],
        "affiliations": [{"raw_affiliation_string": "somewhere", "institution_ids": []}] if raw else [],
    }


def work(number, *authorships, year=2020, kind="article", retracted=False):
    """A work of OpenAlex."""
    return {
        "id": f"https://openalex.org/W{number}",
        "doi": None,
        "title": "ü",
        "publication_year": year,
        "type": kind,
        "is_retracted": retracted,
        "authorships": list(authorships),
        "locations": [{"is_oa": True, "source": {"id": "https://openalex.org/S1"}}],
    }


INSTITUTIONS = [institution(1, 36.8, -1.3), institution(2, 35.3, 0.5), institution(3, None, None, "FR", "Paris")]
WORKS = [
    work(1, authorship(1), authorship(1, 2)),
    work(2, authorship(1, 3), authorship(3)),
    work(
        3, authorship(countries=["NA"]), authorship(raw=False)
    ),  # an address without a place; an author without address
    work(4, authorship(1), year=2010),
    work(5, authorship(1), kind="editorial"),
    work(6, authorship(2), retracted=True),
    work(7),
    work(8, authorship(9)),  # an institution that is not in the file
]


def snapshot(folder: Path, form="jsonl", works=WORKS, institutions=INSTITUTIONS) -> Path:
    """A snapshot in two parts an entity, as OpenAlex lays them out."""
    for entity, records in (("works", works), ("institutions", institutions)):
        (folder / "data" / form / entity).mkdir(parents=True)
        (folder / "data" / form / entity / "manifest").write_text('{"entries": []}')
        for half, part in enumerate((records[: len(records) // 2], records[len(records) // 2 :])):
            place = folder / "data" / form / entity / f"updated_date=2026-06-0{half + 1}"
            place.mkdir(parents=True)
            lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in part).encode()
            if form == "jsonl":
                (place / "part_0000.gz").write_bytes(gzip.compress(lines))
            else:
                pq.write_table(pa_json.read_json(pa.BufferReader(lines)), place / "part_0000.parquet")
    return folder


def damage(folder: Path, change, entity="works") -> Path:
    """Change the text of the first part of an entity."""
    path = next(iter(sorted((folder / "data/jsonl" / entity).rglob("*.gz"))))
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))
    return path


def rows(folder: str | Path) -> pd.DataFrame:
    """The table that a conversion has made, sorted by document."""
    found = pd.concat([pd.read_parquet(path) for path in sorted(Path(folder).glob("part-*.parquet"))])
    key = [name for name in ("doc_id", "deal_id") if name in found]
    return found.sort_values(key, kind="stable", ignore_index=True) if key else found.reset_index(drop=True)


def manifest(folder: str | Path) -> dict:
    """The manifest of a conversion."""
    return json.loads(Path(folder, "manifest.json").read_text(encoding="utf-8"))


PATENTSVIEW = {
    "g_location_disambiguated": [
        "location_id disambig_city disambig_state disambig_country latitude longitude county state_fips county_fips",
        "L1 Austin TX US 30.2672 -97.7431 Travis 48 453",
        "L2 Windhoek  NA -22.57 17.0836   ",
    ],
    "g_inventor_disambiguated": [
        "patent_id inventor_sequence inventor_id disambig_inventor_name_first disambig_inventor_name_last gender_code "
        "location_id",
        "10000000 0 fl:a_ln:b-1 Ann Bee F L1",
        "D345393 0 fl:e_ln:f-1 Em Eff F ",
        "10000001 0 fl:c_ln:d-1 Cy Dee M L9",
        "10000002 0 fl:c_ln:d-1 Cy Dee M L1",
        "10000003 0 fl:c_ln:d-1 Cy Dee M L1",
        "10000000 1 fl:c_ln:d-1 Cy Dee M L2",
    ],
    "g_patent": [
        "patent_id patent_type patent_date patent_title patent_abstract wipo_kind num_claims withdrawn filename",
        "10000000 utility 2018-06-19 t a B2 20 0 x",
        "10000001 utility 2018-06-19 t a B2 20 0 x",
        "10000002 utility 2018-06-19 t a B2 20 1 x",
        "D345393 design 1994-03-29 t a S1 1 0 x",
    ],
    "g_assignee_disambiguated": [
        "patent_id assignee_sequence assignee_id disambig_assignee_individual_name_first "
        "disambig_assignee_individual_name_last disambig_assignee_organization assignee_type location_id",
        "10000000 10 a   Third 2 L1",
        "10000000 1 a   Second 2 L1",
        "10000000 0 b Jo Doe  4 L1",
    ],
}


def patentsview(folder: Path, change=lambda text: text) -> None:
    """PatentsView's tables, quoted and zipped."""
    folder.mkdir()
    for name, lines in PATENTSVIEW.items():
        text = "\n".join("\t".join(f'"{cell}"' for cell in line.split(" ")) for line in lines) + "\n"
        with zipfile.ZipFile(folder / f"{name}.tsv.zip", "w") as archive:
            archive.writestr(f"{name}.tsv", change(text))


GEOC_INV = (
    "appln_id,filing_date,lat,lng,ctry_code,name_1,name_2\n"
    "1,2000-01-31,48.9,2.4,FR,a,b\n2,2001-02-01,0.5,35.3,KE,c,\n3,9999-12-31,0.5,35.3,KE,c,\n1,2000-01-31,,,DE,c,\n"
)
FUNDING_HEADER = (
    "uuid,name,type,permalink,cb_url,rank,created_at,updated_at,country_code,state_code,region,city,investment_type,"
    "announced_on,raised_amount_usd,raised_amount,raised_amount_currency_code,post_money_valuation_usd,"
    "post_money_valuation,post_money_valuation_currency_code,investor_count,org_uuid,org_name,lead_investor_uuids"
)


def funding(uuid, country, state, city, kind, on, name="Acme"):
    """A line of Crunchbase's ``funding_rounds.csv``."""
    return f'{uuid},x,funding_round,p,u,1,c,u,{country},{state},r,"{city}",{kind},{on},1,1,USD,,,,2,o,"{name}",'


FUNDING = [
    funding("a", "FRA", "", "Paris", "seed", "2020-05-01"),
    funding("b", "USA", "NY", "New York", "series_a", "2021-05-01", 'The ""Best"",\nInc.'),
    funding("c", "USA", "NY", "New York", "debt_financing", "2021-05-01"),
    funding("d", "NAM", "", "Windhoek", "angel", "2015-05-01"),
    funding("e", "JPN", "", "Kanagawa", "series_b", "2021-05-01"),
    funding("f", "FRA", "", "Paris", "grant", "2021-05-01"),
    funding("a", "FRA", "", "Paris", "seed", "2020-05-01"),
]
OLD_CRUNCHBASE = {
    "companies.csv": "permalink,name,homepage_url,category_list,funding_total_usd,status,country_code,state_code,region,city,"
    "founded_at\n/Organization/Acme,Acme,u,c,1,operating,USA,NY,New York City,New York,2001-01-01\n",
    "rounds.csv": "company_permalink,funding_round_permalink,funding_round_type,funding_round_code,funded_at,raised_amount_usd\n"
    "/organization/acme,/funding-round/1,venture,A,05-01-2015,1\n"
    "/organization/acme,/funding-round/2,debt_financing,,05-01-2015,1\n"
    "/ORGANIZATION/LOST,/funding-round/3,seed,,2014-01-05,1\n",
}
EXPORT_OF_2015 = (
    "company_name,country_code,state_code,region,city,company_category_list,funding_round_type,funding_round_code,"
    "announced_on,raised_amount_usd,investor_count,company_uuid,funding_round_uuid\n"
    "Acme,USA,NY,New York City,New York,x,venture,B,2015-05-01,1,1,u,r1\n"
    "Acme,USA,NY,New York City,New York,x,private_equity,,2015-05-01,1,1,u,r2\n"
)
