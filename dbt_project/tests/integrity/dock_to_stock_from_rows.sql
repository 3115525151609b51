-- Counts receipt items, inspections and what is available a second time, from ION's rows.
with items as (
    select
        items.id,
        items.part_inventory_id,
        receipts.received_at
    from {{ source('ion', 'receipt_items') }} as items
    inner join {{ source('ion', 'receipts') }} as receipts on items.receipt_id = receipts.id
),

first_receipts as (
    select
        part_inventory_id,
        min(received_at) as received_at
    from items
    group by part_inventory_id
),

-- Each inspection since the first receipt of its inventory belongs to one receipt item.
inspections as (
    select count(*) as inspection_count
    from {{ source('ion', 'runs') }} as runs
    inner join {{ source('ion', 'procedures') }} as procedures on runs.procedure_id = procedures.id
    inner join first_receipts on runs.part_inventory_id = first_receipts.part_inventory_id
    where procedures.type = 'INSPECTION' and runs._created >= first_receipts.received_at
),

counted as (
    select coalesce(sum(inspection_count), 0) as inspection_count
    from {{ ref('dock_to_stock') }}
)

select
    'item' as what,
    coalesce(items.id, found.receipt_item_id) as finding
from items
full outer join {{ ref('dock_to_stock') }} as found on items.id = found.receipt_item_id
left join {{ source('ion', 'part_inventories') }} as units on found.part_inventory_id = units.id
where
    items.id is null
    or found.receipt_item_id is null
    or items.received_at is distinct from found.received_at
    or (found.availability_from = 'history') is distinct from (found.available_at is not null)
    or found.available_at < found.received_at
    or found.inspections_completed > found.inspection_count
    or (found.inspected_at is not null and found.inspection_count = 0)
    or (
        found.availability_from = 'not yet'
        and units.status in ('AVAILABLE', 'KITTED', 'INSTALLED')
        and found.received_at < found.as_of_at
    )
union all
select
    'inspections' as what,
    cast(null as bigint) as finding
from inspections
cross join counted
where inspections.inspection_count <> counted.inspection_count
