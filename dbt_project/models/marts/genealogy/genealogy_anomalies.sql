with installed as (
    select * from {{ ref('int_anomalies__installations') }}
),

units as (
    select * from {{ ref('int_abom__units') }}
),

-- A requirement may belong to several units: a single installation then appears in each of them and must count once.
pieces as (
    select
        part_inventory_id,
        count(*) as installation_count,
        sum(quantity) as quantity_installed
    from (
        select distinct
            abom_generation,
            abom_installation_id,
            part_inventory_id,
            quantity
        from installed
        where has_requirement
    ) as once
    group by part_inventory_id
),

installations as (
    select
        installed.*,
        pieces.installation_count,
        pieces.quantity_installed
    from installed
    left join pieces on installed.part_inventory_id = pieces.part_inventory_id
),

cycles as (
    select {{ anomaly_columns(
        'cycle', 'error', 'ring_id',
        "min(case when part_inventory_id = ring_id then child end) || case
            when count(distinct part_inventory_id) = 1 then ' is installed in itself'
            else ' and ' || cast(count(distinct part_inventory_id) - 1 as string) || ' more are installed in each other'
        end || '; the installations that close the ring are left out of all trees.'"
    ) }}
    from installations
    where ring_id is not null
    group by ring_id
),

serials_installed_twice as (
    select {{ anomaly_columns(
        'serial_installed_twice', 'error', 'part_inventory_id',
        "min(child) || ' is installed in ' || cast(min(installation_count) as string) || ' places at once.'"
    ) }}
    from installations
    where has_requirement and child_tracking_type = 'SERIAL' and installation_count > 1
    group by part_inventory_id
),

lots_over_installed as (
    select {{ anomaly_columns(
        'lot_over_installed', 'error', 'part_inventory_id',
        "'Of ' || min(child) || ' ' || " ~ number_text('min(quantity_installed)') ~ " || ' are installed, and the lot holds '
            || " ~ number_text('min(child_quantity)') ~ " || '.'",
        ['child_quantity']
    ) }}
    from installations
    where
        has_requirement
        and child_tracking_type = 'LOT'
        and quantity_installed - child_quantity > 1e-9 * quantity_installed
    group by part_inventory_id
),

installations_without_requirement as (
    select {{ anomaly_columns(
        'installation_without_requirement', 'warning', 'abom_installation_id',
        "min(child) || ' is installed on ' || coalesce(
            'build requirement ' || cast(min(build_requirement_id) as string) || ', which is not there.', 'no build requirement.'
        )"
    ) }}
    from installations
    where not has_requirement
    group by abom_installation_id
),

children_newer_than_completion as (
    select {{ anomaly_columns(
        'child_newer_than_completion', 'warning',
        "parent_part_inventory_id || ':' || abom_generation || ':' || abom_installation_id",
        "min(child) || ' of ' || " ~ date_label('min(child_created_at)', '%Y-%m-%d') ~ " || ' is installed in ' || min(parent)
            || ', which was completed on ' || " ~ date_label('min(parent_completed_at)', '%Y-%m-%d') ~ " || '.'",
        ['child_created_at', 'parent_completed_at']
    ) }}
    from installations
    where child_created_at > parent_completed_at
    group by parent_part_inventory_id, abom_generation, abom_installation_id
),

installed_while_scrapped as (
    select {{ anomaly_columns(
        'installed_while_scrapped', 'error', 'part_inventory_id',
        "min(child) || ' is scrapped and still installed' || coalesce(' in ' || min(parent), '') || '.'",
        ['child_status']
    ) }}
    from installations
    where child_is_scrapped
    group by part_inventory_id
),

-- An assembly below the maximum depth of trees: its content is missing there, and only there.
trees_cut_off as (
    select {{ anomaly_columns(
        'tree_cut_off', 'error', 'part_inventory_id',
        "'What is installed in ' || min(child) || ' is left out of the trees in which it lies more than "
            ~ var('abom_max_depth') ~ " levels deep.'"
    ) }}
    from installations
    where is_cut_off
    group by part_inventory_id
),

findings as (
    {% for kind in [
        'cycles', 'serials_installed_twice', 'lots_over_installed', 'installations_without_requirement',
        'children_newer_than_completion', 'installed_while_scrapped', 'trees_cut_off',
    ] %}
        select * from {{ kind }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    findings.anomaly_key,
    findings.anomaly,
    findings.severity,
    findings.finding,
    units.part_inventory_id,
    units.part_number,
    units.part_revision,
    units.serial_number,
    units.lot_number,
    findings.part_inventory_ids,
    {{ list_text('findings.part_inventory_ids') }} as part_inventory_ids_text,
    findings.build_requirement_ids,
    findings.abom_installation_ids,
    findings.evidence,
    findings.is_export_controlled
from findings
left join units on {{ first_element('findings.part_inventory_ids') }} = units.part_inventory_id
order by findings.anomaly, findings.anomaly_key
