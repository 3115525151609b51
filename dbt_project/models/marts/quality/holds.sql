with types as (
    select
        issue_disposition_type_id,
        disposition_type,
        inventory_availability,
        coalesce(inventory_availability like '%PERMANENT%', false) as is_permanent,
        coalesce(inventory_availability like '%RESOL%', false) as is_until_resolved
    from {{ ref('stg_ion__issue_disposition_types') }}
    where inventory_availability <> 'AVAILABLE'
),

issues as (
    select * from {{ ref('stg_ion__issues') }}
),

affected as (
    select * from {{ ref('issue_units') }}
),

inventories as (
    select * from {{ ref('part_inventories') }}
),

-- What a rule does that is not known yet is left open: the row stays, and does not say that the unit is held.
ruled as (
    select
        issues.issue_id,
        issues.status as issue_status,
        types.issue_disposition_type_id,
        types.disposition_type,
        types.inventory_availability as hold_rule,
        types.is_permanent,
        case
            when types.is_permanent then true
            when types.is_until_resolved then coalesce(issues.status, '') <> 'RESOLVED'
        end as is_held
    from issues
    inner join types on issues.issue_disposition_type_id = types.issue_disposition_type_id
)

select
    affected.part_inventory_id,
    affected.issue_id,
    affected.part_id,
    affected.part_number,
    affected.part_revision,
    affected.serial_number,
    affected.lot_number,
    inventories.location_name,
    inventories.status as inventory_status,
    inventories.quantity,
    inventories.quantity_available,
    affected.issue_title,
    ruled.issue_status,
    affected.opened_at as issue_opened_at,
    ruled.issue_disposition_type_id,
    ruled.disposition_type,
    ruled.hold_rule,
    ruled.is_permanent,
    ruled.is_held,
    affected.is_export_controlled
from affected
inner join ruled on affected.issue_id = ruled.issue_id
left join inventories on affected.part_inventory_id = inventories.part_inventory_id
where coalesce(ruled.is_held, true)
order by affected.part_inventory_id, affected.issue_id
