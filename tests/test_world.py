"""The planted world: its plan, the truth it promises, and the published tables that come out of it."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from gpu_clusters_cli.errors import GpuClustersError

from gpu_clusters import rank
from gpu_clusters.errors import UsageError
from gpu_clusters.world import (
    coverage_differences,
    differences,
    documents,
    make_world,
    people,
    plan,
    previous,
    side_by_side,
    sites,
)
from gpu_clusters.world.published import ADDRESSES, DEALS, NEW, PATENTS, PUBLICATIONS, published, read

REFERENCE = SHARED / "reference"
RUNS = ((0.005, 0), (0.005, 5), (0.02, 1))


@pytest.fixture(scope="module", params=RUNS, ids=lambda run: f"scale {run[0]}, seed {run[1]}")
def ranked(request, tmp_path_factory):
    """A world, its ranking, and that of the edition before."""
    folder = tmp_path_factory.mktemp("world")
    world = make_world(folder, *request.param)
    before = rank(**world.previous_inputs, density=world.density)
    result = rank(**world.inputs, previous=before, density=world.density)
    return world, result, before


def test_every_published_figure(ranked):
    _, result, _ = ranked
    assert differences(result.ranking).empty, differences(result.ranking).to_string()
    assert coverage_differences(result.coverage).empty, coverage_differences(result.coverage).to_string()
    assert (result.manifest["initial_clusters"], len(result.ranking)) == (246, 237)
    named = read("beyond.csv").set_index("name")["rank"].astype(int)
    assert result.ranking["rank"].tolist() == [*range(1, 101), *sorted(named)]
    assert [named[name] for name in ("Riyadh", "Pune", "Kolkata", "Oulu", "Ürümqi", "Guilin")] == [
        101,
        112,
        158,
        218,
        218,
        229,
    ]
    totals = [result.manifest["totals"][name] for name in ("patents", "publications", "deals")]
    assert totals == pytest.approx([PATENTS, PUBLICATIONS, DEALS], rel=1e-12)


def test_the_table_of_the_readme(ranked):
    lines = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8").splitlines()
    for row in side_by_side(ranked[1].ranking, 20).to_dict("records"):
        cells = [str(cell).replace("|", "\\|") for cell in row.values()]
        assert "| " + " | ".join(cells) + " |" in lines


def test_every_location(ranked):
    world, result, _ = ranked
    truth, found = world.truth, result.locations
    assert np.array_equal(truth[["lon", "lat"]].to_numpy(), found[["lon", "lat"]].to_numpy())
    assert np.array_equal(np.where(truth["cluster"] < 0, -1, truth["cluster"] + 1), found["cluster_id"])
    pairs = pd.DataFrame({"planted": truth["part"].to_numpy(), "found": found["initial_cluster_id"]}).drop_duplicates()
    assert len(pairs) == 247 and pairs["planted"].is_unique and pairs["found"].is_unique, "before merging, one to one"
    edge = (truth["kind"] == sites.EDGE_POINT).to_numpy()
    assert edge.sum() == 26 and not found["core"][edge].any() and (found["cluster_id"][edge] > 0).all()


def test_what_is_merged_and_what_is_not(ranked):
    world, result, _ = ranked
    base = plan.base()
    ids = base.clusters["cluster_id"].tolist()
    locations = result.locations
    part = pd.Series(world.truth["part"].to_numpy()).groupby(locations["initial_cluster_id"].to_numpy()).first()
    cluster = {number: ids[base.parts[p].cluster] for number, p in part.items() if number >= 0}
    merged = [tuple(cluster[number] for number in pair) for pair in result.manifest["merged_pairs"]]
    assert sorted(merged) == sorted((name, name) for name in plan.SECOND_PARTS)

    numbers = {name: number for number, name in cluster.items()}
    for one, other, gap in sites.NEAR:
        a, b = (locations[locations["initial_cluster_id"] == numbers[name]] for name in (one, other))
        far = sites.kilometres(
            sites.unit(a["lon"].to_numpy(), a["lat"].to_numpy())[:, None],
            sites.unit(b["lon"].to_numpy(), b["lat"].to_numpy()),
        )
        assert far.min() == pytest.approx(gap, abs=0.01)
    shares = _ties(world, locations)
    for one, other, friend in (
        ("busan", "ulsan", "seoul"),
        ("ulsan", "busan", "seoul"),
        ("detroit", "ann-arbor", "chicago"),
    ):
        tie = shares(numbers[one])
        assert 0 < tie[numbers[other]] < tie[numbers[friend]] == max(tie.values())
    tie = shares(numbers["ann-arbor"])
    city = world.truth.index[world.truth["kind"] == sites.NOISE_CITY]
    assert len(city) == 1 and 0 < tie[numbers["detroit"]] < tie[1000 + city[0]] == max(tie.values())


def _ties(world, locations):
    """Slow and obvious: how strongly a cluster is tied to others, and (from 1,000 on) to single locations."""
    at = {pair: i for i, pair in enumerate(zip(locations["lon"], locations["lat"], strict=True))}
    partner = np.where(
        locations["initial_cluster_id"] < 0, 1000 + np.arange(len(locations)), locations["initial_cluster_id"]
    )
    tables = []
    for name in plan.TABLES:
        table = pd.read_parquet(world.inputs[name], columns=["doc_id", "lon", "lat"]).dropna()
        table = table[table["lat"] <= 90]
        table["partner"] = [partner[at[pair]] for pair in zip(table["lon"], table["lat"], strict=True)]
        tables.append(table[["doc_id", "partner"]].drop_duplicates())

    def shares(cluster: int) -> dict[int, float]:
        total = pd.Series(dtype=float)
        for table in tables:
            own = table[table["doc_id"].isin(table["doc_id"][table["partner"] == cluster])]
            counts = own["partner"][own["partner"] != cluster].value_counts() / table["doc_id"].nunique()
            total = total.add(counts, fill_value=0)
        return total.to_dict()

    return shares


def test_the_previous_edition(ranked):
    _, result, before = ranked
    assert (before.manifest["initial_clusters"], len(before.ranking)) == (239, 230)
    today = published().clusters
    new = result.ranking[result.ranking["previous_rank"].isna()]
    assert sorted(today["cluster_id"][new["cluster_id"] - 1]) == sorted(NEW)


def test_nobody_lives_between(ranked):
    world, result, _ = ranked
    base = plan.base()
    row, column, number = people.cells(base, previous.with_population(base.clusters))
    lon, lat = (column + 0.5) * people.PITCH - 180, 90 - (row + 0.5) * people.PITCH
    member = world.truth[world.truth["cluster"] >= 0]
    from scipy.spatial import cKDTree

    far = cKDTree(member[["lon", "lat"]]).query(np.stack([lon, lat], axis=1))[0]
    assert people.PITCH <= 0.05 and ((far <= 0.05) | (far > 0.1)).all() and (number > 0).all()
    top = result.ranking["population"][:100].to_numpy(float)
    assert np.array_equal(top, published().clusters["population"][:100])
    deals = result.deals
    near = cKDTree(member[["lon", "lat"]])
    for i, cluster in zip(range(len(deals)), deals["cluster_id"], strict=True):
        around = set(member["cluster"].iloc[near.query_ball_point(deals[["lon", "lat"]].iloc[i], 0.05)])
        assert around == ({cluster - 1} if cluster > 0 else set())


def test_seeds(tmp_path):
    digests = []
    for number, seed in enumerate((5, 5, 6)):
        folder = tmp_path / str(number)
        folder.mkdir()
        make_world(folder, 0.005, seed, editions=1)
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()})
    assert digests[0] == digests[1]
    assert digests[0]["patents.parquet"] != digests[2]["patents.parquet"]
    assert digests[0]["population.tif"] == digests[2]["population.tif"]


@pytest.mark.parametrize("scale", [0.005, 0.0071, 0.02, 0.1, 0.37, 1])
def test_the_plan_holds_at_every_scale(scale):
    counts = {table: plan.counts(table, scale) for table in plan.TABLES}
    for table, count in counts.items():
        assert count.rows.min() >= 0 and count.rows.sum() + sum(count.lost.values()) == round(ADDRESSES[table] * scale)
        assert count.documents == round(plan.TOTALS[table] * scale)
    base = plan.base()
    weight = plan.thresholds({table: count.rows for table, count in counts.items()}, scale)
    assert sites.proved(base.sites, weight) == []
    listed = published().coverage.query("table == 'patents'").set_index("country")["rows"].drop("World")
    rows = pd.Series(counts["patents"].rows).groupby(base.sites.country).sum()
    lost = pd.Series(counts["patents"].lost)
    assert ((rows + lost)[listed.index] == (listed * scale).round()).all()


def test_a_plan_that_does_not_hold_is_found():
    base = plan.base()
    counts = {table: plan.counts(table, 0.02).rows for table in plan.TABLES}
    weight = plan.thresholds(counts, 0.02)
    first = {kind: int(np.flatnonzero(base.sites.kind == kind)[0]) for kind in range(7)}

    def wrong(change=None, **columns) -> str:
        heavier = weight.copy()
        for site, value in (change or {}).items():
            heavier[site] = value
        return " ".join(sites.proved(base.sites._replace(**columns), heavier))

    assert "may become core" in wrong({first[sites.NOISE]: 1.1})
    assert "may become core" in wrong({first[sites.TAIL_END]: 1.1})
    assert "not sure to belong" in wrong(dict.fromkeys(np.flatnonzero(base.sites.kind == sites.TOWN).tolist(), 0.1))
    assert "is in pieces or has no core" in wrong(dict.fromkeys(np.flatnonzero(base.sites.part == 200).tolist(), 0.1))
    moved = base.sites.lat.copy()
    moved[first[sites.SUBURB]] += 0.2
    assert "not sure to belong" in wrong(lat=moved)
    lon, lat = base.sites.lon.copy(), base.sites.lat.copy()
    lon[first[sites.NOISE]], lat[first[sites.NOISE]] = lon[0], lat[0] + 0.1
    assert "may touch another part" in wrong(lon=lon, lat=lat)


def test_documents():
    base = plan.base()
    counts, about = plan.counts("patents", 0.005), documents.units(plan.base())
    rows = documents.draw(base, counts, about, np.random.default_rng(0))
    placed = rows.site >= 0
    assert np.array_equal(np.bincount(rows.site[placed], minlength=len(counts.rows)), counts.rows)
    assert (np.diff(rows.document) >= 0).all()
    assert len(np.unique(rows.document)) == len(rows.home) and len(np.unique(rows.document[placed])) == counts.documents
    codes = documents.countries(base.sites)
    assert [codes[code] for code in rows.country[placed]] == base.sites.country[rows.site[placed]].tolist()
    sizes = np.bincount(rows.document)
    assert 2.5 < sizes.mean() < 4 and sizes.max() < 40


def test_differences_are_found(ranked):
    ranking = ranked[1].ranking.copy()
    changes = {"name": "Elsewhere", "economies": "XX", "patents": 0.02, "deals": 1, "total_share": 0.01, "previous_rank": 1,
               "rank_without_deals": 1, "intensity": 0.01, "intensity_rank": 1, "top_applicant": "Nobody"}  # fmt: skip
    for column, change in changes.items():
        other = ranking.copy()
        value = other.loc[2, column]
        other.loc[2, column] = (
            change if isinstance(change, str) else value + change * (1e3 if column == "patents" else 1)
        )
        found = differences(other)
        assert found[["rank", "column"]].to_numpy().tolist() == [[3, column]]
    assert len(differences(ranking.head(99))) > 10


def test_scales_that_make_no_sense(tmp_path):
    for scale in (0, -1, 0.001, 1.01, float("nan")):
        with pytest.raises(UsageError, match="scale"):
            make_world(tmp_path, scale)
    assert not list(tmp_path.iterdir()) and issubclass(UsageError, GpuClustersError)


def test_clusters_beyond_the_top_100():
    clusters = published().clusters
    total = previous.total_share(clusters)
    assert len(clusters) == 237 and clusters["cluster_id"].is_unique
    assert (total.rank(ascending=False, method="min") == clusters["rank"]).all()
    two = total - 100 * clusters["deals"] / DEALS
    assert (two.rank(ascending=False)[:100] == clusters["rank_without_deals"][:100]).all()
    assert (clusters["economy"][100:].str.len() == 2).sum() == 136  # and Basel
    assert total.max() < 15 and all(a > b - 1e-9 for a, b in pairwise(total))


def published_file(name: str) -> pd.DataFrame:
    if not (REFERENCE / name).is_file():
        pytest.skip("the published tables are not here")
    return pd.read_csv(REFERENCE / name, dtype=str, keep_default_na=False)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("top100", "top100"), ("intensity", "intensity"), ("geocoding", "geocoding")]
)
def test_published_figures_are_the_published_ones(ours, theirs):
    expected = published_file(f"gii2025_{theirs}.csv").drop(columns="source_line")
    pd.testing.assert_frame_equal(read(f"{ours}.csv").fillna("").astype(object), expected.astype(object))


def test_published_leaders_names_and_bounds():
    leaders = read("leaders.csv").set_index("cluster_id")
    economy = published_file("gii2025_top_by_economy.csv").set_index("cluster_id")
    other = published_file("gii2025_intensity_top10.csv").set_index("cluster_id")
    other = other.rename(columns={"top_scientific_organization": "top_organization"})
    assert set(leaders.index) == set(economy.index) | set(other.index)
    for table in (economy, other):
        for column in leaders:
            assert (leaders[column][table.index] == table[column]).all()
    beyond = read("beyond.csv").set_index("cluster_id")
    named = published_file("gii2025_named_beyond.csv").set_index("cluster_id")
    own = beyond[beyond["named"] == "True"]
    assert set(own.index) == set(named.index) and (own["name"][named.index] == named["name"]).all()
    ranks = named["rank"][named["rank"] != ""]
    assert (own["rank"][ranks.index] == ranks).all()
    facts = published_file("gii2025_facts.csv").set_index("key")["value"]
    assert [ADDRESSES["patents"], ADDRESSES["publications"], ADDRESSES["deals"]] == [
        int(facts[key]) for key in ("pct_inventor_addresses", "scie_author_addresses", "vc_locations")
    ]
    totals = ["pct_total_recommended", "publications_total_recommended", "vc_total_recommended"]
    assert [float(facts[key]) for key in totals] == [PATENTS, PUBLICATIONS, DEALS]
    clusters = published().clusters
    gaps = published_file("gii2025_old_rank_gaps.csv").astype(float, errors="ignore")
    deal_share = 100 * clusters["deals"] / DEALS
    two = previous.total_share(clusters) - deal_share
    position = two.rank(ascending=False)
    for gap in gaps.to_dict("records"):
        here = position == float(gap["rank_old_methodology"])
        assert here.sum() == 1 and (clusters["rank"][here] > 100).all()
        assert float(gap["two_share_low"]) <= two[here].item() <= float(gap["two_share_high"])
        assert deal_share[here].item() <= float(gap["max_share_vc"])


def test_every_table_is_read_from_the_package():
    folder = Path(plan.__file__).parent / "data"
    assert {path.name for path in folder.iterdir()} == {
        "top100.csv", "intensity.csv", "geocoding.csv", "leaders.csv", "beyond.csv", "places.csv"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scale": "x"}, "scale must be at least 0.005 and at most 1, not 'x'"),
        ({"seed": -1}, "seed must be a whole number, 0 or more, not -1"),
        ({"editions": 3}, "editions must be 1 or 2, not 3"),
        ({"folder": 3}, "the folder of the world must be a path, not int"),
        ({"folder": "missing"}, "missing is no folder: make it first"),
    ],
    ids=str,
)
def test_arguments_that_make_no_sense(arguments, says, tmp_path):
    with pytest.raises(UsageError) as refused:
        make_world(**{"folder": str(tmp_path)} | arguments)
    assert str(refused.value) == says
    assert not list(tmp_path.iterdir())
