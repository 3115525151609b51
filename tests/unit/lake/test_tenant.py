import subprocess
import sys
from pathlib import Path

import pytest

from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.lake import LakeCorruptionError, Tenant, claim_tenant, read_tenant


def test_the_first_claim_stays(tmp_path: Path) -> None:
    data_dir = tmp_path / "data" / "production"
    assert read_tenant(data_dir) is None
    tenant = claim_tenant(data_dir, 17, "API.BuildWithION.com")
    assert tenant == Tenant("17", "api.buildwithion.com") == read_tenant(data_dir)
    assert claim_tenant(data_dir, "17", "api.buildwithion.com") == tenant
    assert [path.name for path in data_dir.iterdir()] == ["tenant.json"]


@pytest.mark.parametrize(("organization", "host"), [("18", "api.one"), ("17", "api.two")])
def test_another_tenant_is_refused(tmp_path: Path, organization: str, host: str) -> None:
    claim_tenant(tmp_path, "17", "api.one")
    with pytest.raises(TenantMismatchError) as caught:
        claim_tenant(tmp_path, organization, host)
    assert "organisation 17 at api.one" in str(caught.value)
    assert f"organisation {organization} at {host}" in str(caught.value)
    assert "ION_DATA_DIR" in caught.value.remedy
    assert caught.value.exit_code == 2
    assert read_tenant(tmp_path) == Tenant("17", "api.one")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"{"])
def test_an_unreadable_tenant_is_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tenant.json").write_bytes(content)
    with pytest.raises(LakeCorruptionError, match="does not say which tenant"):
        claim_tenant(tmp_path, "17", "api.one")


@pytest.mark.slow
def test_of_many_who_claim_at_once_one_wins(tmp_path: Path) -> None:
    script = """
import sys
from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.lake import claim_tenant
from pathlib import Path
sys.stdin.readline()
try:
    claim_tenant(Path(sys.argv[1]), sys.argv[2], "api.one")
except TenantMismatchError:
    sys.exit(2)
"""
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)], stdin=subprocess.PIPE)
        for number in range(4)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write(b"go\n")
        child.stdin.close()
    codes = [child.wait(30) for child in children]
    assert sorted(codes) == [0, 2, 2, 2]
    assert read_tenant(tmp_path) == Tenant(str(codes.index(0)), "api.one")
