with inventories as (
    select * from {{ ref('part_inventories') }}
    where serial_number is not null
),

installed as (
    select
        child_part_inventory_id,
        parent_part_inventory_id,
        parent_part_number,
        parent_serial_number,
        parent_lot_number,
        reference_designator,
        installed_at,
        count(*) over (partition by child_part_inventory_id) as installation_count,
        is_export_controlled,
        row_number() over (
            partition by child_part_inventory_id
            order by installed_at desc nulls last, abom_installation_key desc
        ) as recency
    from {{ ref('abom_installations') }}
),

tops as (
    select
        component_part_inventory_id,
        ancestor_part_inventory_id,
        ancestor_part_number,
        ancestor_serial_number,
        ancestor_lot_number,
        is_export_controlled,
        row_number() over (
            partition by component_part_inventory_id
            order by min_depth, ancestor_part_inventory_id
        ) as place
    from {{ ref('abom_where_used') }}
    where is_top_level
),

last_runs as (
    select * from {{ ref('run_history') }}
    where recency = 1
)

select
    inventories.part_inventory_id,
    inventories.part_id,
    inventories.part_number,
    inventories.part_revision,
    inventories.part_description,
    inventories.serial_number,
    inventories.lot_number,
    inventories.status,
    inventories.location_id,
    inventories.location_name,
    inventories.location_path,
    installed.parent_part_inventory_id as installed_in_part_inventory_id,
    installed.parent_part_number as installed_in_part_number,
    coalesce(installed.parent_serial_number, installed.parent_lot_number) as installed_in_serial_or_lot,
    installed.reference_designator,
    installed.installed_at,
    coalesce(installed.installation_count, 0) as installation_count,
    installed.child_part_inventory_id is null as is_top_level,
    case
        when installed.child_part_inventory_id is null then inventories.part_inventory_id
        else tops.ancestor_part_inventory_id
    end as top_part_inventory_id,
    case
        when installed.child_part_inventory_id is null then inventories.part_number
        else tops.ancestor_part_number
    end as top_part_number,
    case
        when installed.child_part_inventory_id is null then inventories.serial_number
        else coalesce(tops.ancestor_serial_number, tops.ancestor_lot_number)
    end as top_serial_or_lot,
    last_runs.run_id as last_run_id,
    last_runs.run_title as last_run_title,
    last_runs.status as last_run_status,
    last_runs.first_started_at as last_run_started_at,
    inventories.created_at,
    inventories.updated_at,
    inventories.is_export_controlled
    or coalesce(installed.is_export_controlled, false)
    or coalesce(tops.is_export_controlled, false)
    or coalesce(last_runs.is_export_controlled, false) as is_export_controlled
from inventories
left join installed on inventories.part_inventory_id = installed.child_part_inventory_id and installed.recency = 1
left join tops on inventories.part_inventory_id = tops.component_part_inventory_id and tops.place = 1
left join last_runs on inventories.part_inventory_id = last_runs.part_inventory_id
order by inventories.part_number, inventories.serial_number, inventories.part_inventory_id
