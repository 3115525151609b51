"""Plants all known situations in a fixed order before the first day, so that their ids do not depend on the scale."""

from datetime import date
from typing import Any

from ion_pipeline.sandbox.factory.administration import build_administration
from ion_pipeline.sandbox.factory.approvals import build_approvals
from ion_pipeline.sandbox.factory.clock import at
from ion_pipeline.sandbox.factory.context import Factory
from ion_pipeline.sandbox.factory.details import fill_details
from ion_pipeline.sandbox.factory.paperwork import build_paperwork
from ion_pipeline.sandbox.factory.planning import build_plans
from ion_pipeline.sandbox.factory.planted_anomalies import plant_anomalies
from ion_pipeline.sandbox.factory.planted_export_control import plant_export_control
from ion_pipeline.sandbox.factory.planted_genealogy import plant_genealogy
from ion_pipeline.sandbox.factory.planted_plans import plant_mbom_versions
from ion_pipeline.sandbox.factory.planted_quality import plant_quality
from ion_pipeline.sandbox.factory.planted_supply import plant_supply
from ion_pipeline.sandbox.factory.planter import Planter
from ion_pipeline.sandbox.factory.showcase import build_showcase

_BEGIN = date(2026, 1, 6)


def plant(f: Factory) -> dict[str, Any]:
    """Plants all known situations; returns the truths by name."""
    planter = Planter(f, at(_BEGIN))
    family = plant_genealogy(planter)
    plant_mbom_versions(planter)
    plant_anomalies(planter, family)
    plant_quality(planter)
    shown = build_showcase(planter)
    plant_supply(planter)
    build_approvals(f)
    build_plans(f)
    build_administration(f)
    fill_details(planter, shown)
    build_paperwork(planter, shown)
    plant_export_control(planter)
    return planter.truths
