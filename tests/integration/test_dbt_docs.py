"""dbt's own documentation as one page: complete, made offline, and silent when it is looked at."""

import asyncio
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from ion_pipeline.pipeline import dbt
from ion_pipeline.settings import load_settings
from tests import chromium
from tests.integration.conftest import MEMORY, Built

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]
DBT_DOCS = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "dbt_docs.py"))


@pytest.fixture(scope="module")
def page(demo_warehouse: Built, tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]) -> Path:
    """Made of a copy: dbt opens the warehouse for writing, and others read the shared one."""
    folder = tmp_path_factory.mktemp("dbt_docs")
    rendered(folder / "data")
    shutil.copy(demo_warehouse.warehouse, folder / "data" / "warehouse.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ION_DATA_DIR", str(folder / "data"))
        patch.setenv("ION_DUCKDB_MEMORY_LIMIT", MEMORY)
        written: Path = DBT_DOCS["write"](folder / "docs")
    return written


def test_it_has_every_model_test_and_exposure_and_the_policy(page: Path, demo_warehouse: Built) -> None:
    text = page.read_text("utf-8")
    target = Path(dbt.environment(load_settings(data_dir=demo_warehouse.data_dir))["DBT_TARGET_PATH"])
    manifest = orjson.loads((target / "manifest.json").read_bytes())
    names = [*manifest["nodes"], *manifest["exposures"]]
    assert len(names) > 300
    assert [name for name in names if f'"{name}"' not in text] == []
    head = text.partition("<script")[0]
    assert "default-src 'none'" in head
    assert "require(" not in head


@pytest.mark.skipif(chromium.binary() is None, reason=f"none of {', '.join(chromium.NAMES)} is on the path")
@pytest.mark.parametrize("is_tracked", [False, True])
def test_it_shows_a_model_and_asks_nobody_for_anything(page: Path, tmp_path: Path, is_tracked: bool) -> None:
    """Also where dbt's tracker is on: then the policy is what stops it, and the browser says so."""
    text = page.read_text("utf-8")
    setting = '"send_anonymous_usage_stats": false'
    assert text.count(setting) == 1
    looked_at = tmp_path / "index.html"
    looked_at.write_text(text.replace(setting, setting.replace("false", "true")) if is_tracked else text, "utf-8")

    async def look() -> None:
        async with chromium.opened(looked_at) as browser:
            await browser.run("location.hash = '#!/model/model.ion_warehouse.abom_hierarchy'")
            async with asyncio.timeout(300):
                while "One row per root unit and path" not in await browser.run("document.body.innerText"):  # noqa: ASYNC110 -- a page
                    await asyncio.sleep(0.2)
            # Templates of the page ask for files named by a placeholder before it is filled in; nothing goes out.
            assert {request.partition(":")[0] for request in browser.requests} <= {"file", "data"}
            blocked = [problem for problem in browser.problems if "Content Security Policy" in problem]
            assert any("sp.js" in problem for problem in blocked) is is_tracked

    asyncio.run(look())


def test_without_a_warehouse_there_is_a_page_and_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parsed: Callable[[Path], None]
) -> None:
    parsed(tmp_path / "data")
    monkeypatch.setenv("ION_DUCKDB_MEMORY_LIMIT", MEMORY)
    monkeypatch.setenv("ION_DATA_DIR", str(tmp_path / "data"))
    written = DBT_DOCS["write"](tmp_path / "docs")
    assert '"model.ion_warehouse.abom_hierarchy"' in written.read_text("utf-8")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["dbt"]
