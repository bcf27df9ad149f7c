"""The commands of the documentation on sources, run on small folders of the real layouts."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pandas as pd
from exports import FUNDING_HEADER, authorship, funding, institution, rows, snapshot, work

DOCS = Path(__file__).parents[1] / "docs"


def commands(page: str) -> list[list[str]]:
    """The commands that a page shows, without the program's name."""
    lines = re.findall(r"^    gpu-clusters (.+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line) for line in lines]


def test_the_walkthrough_from_raw_folders_to_a_ranking(program):
    here = [institution(1, 36.82, -1.29), institution(2, 2.35, 48.86, "FR"), institution(3, None, None)]
    works = [work(i, authorship(1), authorship(1, 2)) for i in range(3_000)]
    works += [work(10_000 + i, authorship(2), year=2021) for i in range(2_500)] + [work(20_000, authorship(3))]
    works += [work(30_000 + i, authorship(2), year=2018) for i in range(9)]
    snapshot(program.here / "snapshot", works=works, institutions=here)
    (program.here / "crunchbase").mkdir()
    lines = [
        FUNDING_HEADER,
        funding("a", "KEN", "", "Nairobi", "seed", "2020-05-01"),
        funding("b", "KEN", "", "Nairobi", "series_a", "2021-05-01"),
        funding("c", "KEN", "", "Nairobi", "debt_financing", "2021-05-01"),
        "broken,row",
        funding("d", "FRA", "", "Paris", "angel", "2022-05-01"),
        funding("e", "FRA", "", "Nowhere in particular", "angel", "2022-05-01"),
    ]
    (program.here / "crunchbase/funding_rounds.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shown = commands("walkthrough.md")
    assert [command[0] for command in shown] == ["convert", "convert", "geocode", "rank"]
    for command in shown:
        ran = program(*command)
        assert ran.code == 0, (command, ran)
    with Path("result/ranking.csv").open(encoding="utf-8", newline="") as file:
        ranking = list(csv.DictReader(file))
    found = {row["economies"]: (row["rank"], float(row["publications"]), float(row["deals"])) for row in ranking}
    assert found == {"KE": ("1", 3_000 * 3 / 4, 2.0), "FR": ("2", 3_000 / 4 + 2_500, 1.0)}
    coverage = pd.read_csv("result/coverage.csv", keep_default_na=False)
    world = coverage[coverage["country"] == "World"].set_index("table")
    assert world.loc["publications", ["documents", "documents_covered"]].tolist() == [5_501, 5_500]
    assert world.loc["deals", ["rows", "geocoded"]].tolist() == [4, 3]
    assert pd.read_csv("rounds/skipped.csv")["row"].tolist() == [4]


def test_the_mapping_of_the_documentation(program):
    text = (DOCS / "sources.md").read_text(encoding="utf-8")
    (program.here / "pitchbook.toml").write_text(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])
    header = "Deal ID,Companies,Deal Date,Company City,Company State/Province,Company Country,Deal Type"
    lines = [
        header,
        "1-1T,Acme,01-May-2021,Zürich,,Switzerland,Seed Round",
        "2-2T,Acme,31/12/2021,Nairobi,,Kenya,Later Stage VC",
        "2-2T,Acme,31/12/2021,Nairobi,,Kenya,Later Stage VC",
        "3-3T,Acme,31/12/2021,Nairobi,,Kenya,Buyout/LBO",
    ]
    (program.here / "pitchbook.csv").write_bytes("\n".join(lines).encode("cp1252"))
    command = next(command for command in commands("sources.md") if command[1] == "table")
    assert program(*command).code == 0
    found = rows("rounds")
    assert found[["deal_id", "year", "city", "country"]].to_numpy().tolist() == [
        ["1-1T", 2021, "Zürich", "CH"],
        ["2-2T", 2021, "Nairobi", "KE"],
    ]
